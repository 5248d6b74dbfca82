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
    if not callable(function):
        raise TypeError(f"{target} is a {type(function).__name__}, expected a function")
    return function


def accepted(function, arguments):
    """The arguments that the function takes: all of them where it has **kwargs."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return arguments
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return arguments
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in arguments]
    if missing:
        raise TypeError(f"the function wants {', '.join(missing)}, but the data set has no such column; there are: "
                        f"{', '.join(arguments)}")
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
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__iter__"):
        return {"returned": f"{type(values).__name__}: {values!r}"[:200]}
    return [plain(value) for value in values]


class Log:
    """log_metric() and log_extra() of a call."""

    told = False

    def __init__(self):
        self.metrics = {}

    def metric(self, name, value):
        self.metrics.setdefault(str(name), []).append(float(value))

    def extra(self, column, values):
        if not Log.told:
            print(f"log_extra: laconic has no table of completions; the values of {column!r} are left out",
                  file=sys.stderr)
            Log.told = True


def arguments_of(request, log):
    columns = request["columns"]
    state = types.SimpleNamespace(**request["state"])
    return {
        "prompts": request["prompts"],
        "completions": request["completions"],
        "completion_ids": request["completion_ids"],
        **{name: [value] * len(request["prompts"]) for name, value in columns.items()},
        "trainer_state": state,
        "log_metric": log.metric,
        "log_extra": log.extra,
    }


async def call_all(functions, request, log):
    """Calls the functions one after the other; what is awaitable runs together."""
    results, pending = {}, {}
    try:
        for name, function in functions.items():
            # Each has lists of its own: a function that changes them disturbs no other.
            arguments = arguments_of(json.loads(request), log)
            result = function(**accepted(function, arguments))
            if inspect.isawaitable(result):
                pending[name] = asyncio.ensure_future(result)
            else:
                results[name] = plain_list(result)
        for name, task in pending.items():
            results[name] = plain_list(await task)
    except Exception as error:
        error.reward = name
        raise
    finally:
        for task in pending.values():
            task.cancel()
    return {name: results[name] for name in functions}


def own_frames(error):
    """The traceback from the user's first frame on."""
    first = trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is globals() or trace.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
            first = trace.tb_next
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, first))


def main():
    requests, answers = os.fdopen(3, "r", encoding="utf-8"), os.fdopen(4, "w", encoding="utf-8")
    os.set_inheritable(3, False)
    os.set_inheritable(4, False)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    functions = {}
    for word in sys.argv[1:]:
        name, _, target = word.partition("=")
        try:
            functions[name] = load(target)
        except BaseException as error:  # whatever a user's file does, SystemExit included, is told
            answer({"error": own_frames(error), "reward": name})
            return
    answer({"ready": True})
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for line in requests:
        log = Log()
        request_id = json.loads(line)["id"]
        try:
            rewards = loop.run_until_complete(call_all(functions, line, log))
            answer({"id": request_id, "rewards": rewards, "metrics": log.metrics})
        except Exception as error:
            answer({"id": request_id, "error": own_frames(error), "reward": getattr(error, "reward", "")})
        sys.stdout.flush()


main()
