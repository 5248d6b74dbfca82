"""Computes rewards for laconic with functions written for TRL's trainers.

Started as `python3 -u -c <this text> NAME=TARGET...`. Requests come on descriptor 3, one JSON object per line, answers go
out on descriptor 4. Standard output belongs to the user's code.
"""

import asyncio
import importlib
import importlib.util
import inspect
import json
import math
import os
import sys
import traceback
import types


def load(target):
    """The function of FILE.py:FUNCTION or package.module:FUNCTION."""
    place, _, attribute = target.rpartition(":")
    if place.endswith(".py"):
        path = os.path.abspath(place)
        sys.path.insert(0, os.path.dirname(path))  # its neighbours can be imported, as when it is run by itself
        name = os.path.splitext(os.path.basename(path))[0]
        if name in sys.modules and getattr(sys.modules[name], "__file__", None) == path:
            module = sys.modules[name]
        else:
            spec = importlib.util.spec_from_file_location(name, path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    function = module
    for part in attribute.split("."):
        if not hasattr(function, part):
            known = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
            raise AttributeError(f"{place} has no function {attribute}; it has: {', '.join(known) or 'none'}")
        function = getattr(function, part)
    if inspect.isclass(function):
        raise TypeError(f"{target} is a class, expected a function or an object that can be called: "
                        f"write `reward = {attribute}(...)` in the file and name `reward`")
    if not callable(function):
        raise TypeError(f"{target} is a {type(function).__name__}, expected a function")
    return function


def accepted(function, arguments):
    """The arguments that the function takes: all of them where it has **kwargs."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return arguments
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in arguments]
    if missing:
        raise TypeError(f"the function wants {', '.join(missing)}, but the data set has no such column; there are: "
                        f"{', '.join(arguments)}")
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return arguments
    names = {p.name for p in named}
    return {name: value for name, value in arguments.items() if name in names}


def plain(value):
    """A reward as JSON: a number, null, or {"bad": what it is}."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)):
        return {"bad": repr(value)[:200]}
    try:
        number = float(value)
    except (TypeError, ValueError):
        return {"bad": repr(value)[:200]}
    return number if math.isfinite(number) else {"bad": repr(value)[:200]}


def plain_list(values):
    """The rewards of a call as a list, or what was returned instead."""
    if hasattr(values, "tolist"):  # of numpy or torch
        values = values.tolist()
    if callable(values):
        return {"returned": f"a function: {values!r}; where it makes reward functions, write `reward = ...(...)` in "
                            "the file and name `reward`"}
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__iter__"):
        return {"returned": f"{type(values).__name__}: {values!r}"[:200]}
    return [plain(value) for value in values]


class Log:
    """log_metric() and log_extra() of a call."""

    told = set()

    def __init__(self):
        self.metrics = {}

    def metric(self, name, value):
        number = float(value)
        if math.isfinite(number):
            self.metrics.setdefault(str(name), []).append(number)
        else:
            self.tell_once("metric", f"log_metric: {name!r} is {number}; values that are not finite are left out")

    def extra(self, column, values):
        self.tell_once("extra",
                       f"log_extra: laconic has no table of completions; the values of {column!r} are left out")

    @classmethod
    def tell_once(cls, what, text):
        if what not in cls.told:
            cls.told.add(what)
            print(text, file=sys.stderr)


class TrainerState(types.SimpleNamespace):
    """What a function may ask of the run."""

    def __getattr__(self, name):
        raise AttributeError(f"trainer_state has {', '.join(vars(self))} here and no {name!r}")


def arguments_of(request, log):
    columns = request["columns"]
    state = TrainerState(**request["state"])
    return {
        "prompts": request["prompts"],
        "completions": request["completions"],
        "completion_ids": request["completion_ids"],
        **{name: [value] * len(request["prompts"]) for name, value in columns.items()},
        "trainer_state": state,
        "log_metric": log.metric,
        "log_extra": log.extra,
    }


class Raised(Exception):
    """An error and the reward that it is of."""

    def __init__(self, reward, error):
        super().__init__(reward)
        self.reward, self.error = reward, error


async def together(calls):
    """The results of calls that run at the same time; the first error ends the others."""
    tasks = {name: asyncio.ensure_future(call) for name, call in calls.items()}
    results = {}
    try:
        for name, task in tasks.items():
            try:
                results[name] = plain_list(await task)
            except (Exception, asyncio.CancelledError) as error:
                raise Raised(name, error)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return results


def call_all(loop, functions, request, log):
    """Calls the functions one after the other; what is asynchronous runs together, behind them.

    No loop is running when an ordinary function is called: it may run one of its own, as asyncio.run() does.
    """
    results, calls = {}, {}
    for name, function in functions.items():
        asyncio.set_event_loop(loop)  # asyncio.run() leaves none
        # Each has lists of its own: a function that changes them disturbs no other.
        try:
            result = function(**accepted(function, arguments_of(json.loads(request), log)))
            if inspect.isawaitable(result):
                calls[name] = result
            else:
                results[name] = plain_list(result)
        except Exception as error:
            for call in filter(inspect.iscoroutine, calls.values()):
                call.close()
            raise Raised(name, error)
    if calls:
        results.update(loop.run_until_complete(together(calls)))
    return {name: results[name] for name in functions}


def own_frames(error):
    """The traceback from the user's first frame on."""
    first = trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is globals() or trace.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
            first = trace.tb_next
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, first))
    return text if len(text) < 20000 else f"{text[:10000]}\n...\n{text[-10000:]}"


def main():
    requests = os.fdopen(3, "r", encoding="utf-8")
    answers = os.fdopen(4, "w", encoding="utf-8", errors="replace")
    os.set_inheritable(3, False)
    os.set_inheritable(4, False)

    def answer(value):
        answers.write(json.dumps(value, ensure_ascii=False) + "\n")
        answers.flush()

    functions, words = {}, sys.argv[1:]
    del sys.argv[1:]  # a file that looks at them finds none
    for word in words:
        name, _, target = word.partition("=")
        try:
            functions[name] = load(target)
        except BaseException as error:  # whatever a user's file does, SystemExit included, is told
            answer({"error": own_frames(error), "reward": name})
            return
    answer({"ready": True})
    loop = asyncio.new_event_loop()
    for line in requests:
        log = Log()
        request_id = json.loads(line)["id"]
        try:
            rewards = call_all(loop, functions, line, log)
            answer({"id": request_id, "rewards": rewards, "metrics": log.metrics})
        except Raised as raised:
            answer({"id": request_id, "error": own_frames(raised.error), "reward": raised.reward})
        sys.stdout.flush()


main()
