"""Measures laconic beside transformers and TRL, run by run in alternation, and prints the table of docs/benchmarks.md.

usage: compare.py [--rounds N] [--only NAME,...] [--peer-python PYTHON]
PYTHON is an interpreter with torch, transformers, trl and datasets; without it only laconic is measured.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# name, kind, model folder, batch (prompts of a step), prompt tokens, new tokens, group, threads
WORKLOADS = [
    ("decode P3, batch 8", "generate", "p3", 8, 32, 128, 1, 1),
    ("decode P3, batch 64", "generate", "p3", 64, 32, 128, 1, 1),
    ("decode P30, batch 8", "generate", "p30", 8, 32, 128, 1, 1),
    ("decode P30, batch 64", "generate", "p30", 64, 32, 128, 1, 1),
    ("train P3, 8 x 256", "train", "p3", 8, 256, 0, 1, 1),
    ("train P30, 8 x 256", "train", "p30", 8, 256, 0, 1, 1),
    ("GRPO step P3, 8 x 8, 16 + 64", "step", "p3", 8, 16, 64, 8, 2),
    ("GRPO step P30, 8 x 8, 16 + 128", "step", "p30", 8, 16, 128, 8, 1),
]


def run_laconic(kind, folder, batch, prompt, new, group, threads):
    command = [f"{ROOT}/build/release/laconic", "bench", kind, "--model", f"{ROOT}/configs/bench/{folder}",
               "--prompt-len", str(prompt), "--threads", str(threads), "--warmup", "1", "--steps", "1", "--json"]
    command += ["--prompts", str(batch), "--group", str(group)] if kind == "step" else ["--batch", str(batch)]
    if new:
        command += ["--new", str(new)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    row = json.loads(text)
    return {"tokens_per_s": row["tokens_per_s"]["median"], "peak_gib": row["peak_memory_bytes"] / 2**30,
            "share": row.get("share_of_bound")}


def run_peer(python, kind, folder, batch, prompt, new, group, threads):
    packed = group * 1000 + new if kind == "step" else new
    text = subprocess.run([python, f"{ROOT}/scripts/bench/peer.py", kind, f"{ROOT}/configs/bench/{folder}",
                           *map(str, (batch, prompt, packed, threads, 1))],
                          capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in text.splitlines() if line.startswith('{"tokens_per_s"')]
    return rows[-1]


def spread(rows):
    values = [row["tokens_per_s"] for row in rows]
    return statistics.median(values), min(values), max(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--peer-python", default="")
    options = parser.parse_args()
    print("| workload | laconic tok/s (min - max) | share of bound | peak GiB | peer tok/s (min - max) | peak GiB | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, *workload in WORKLOADS:
        if options.only and not any(part in name for part in options.only.split(",")):
            continue
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(run_laconic(*workload))
            if options.peer_python:
                theirs.append(run_peer(options.peer_python, *workload))
        median, low, high = spread(ours)
        share = ours[0]["share"]
        cells = [name, f"{median:.0f} ({low:.0f} - {high:.0f})", f"{100 * share:.0f} %" if share else "",
                 f"{max(row['peak_gib'] for row in ours):.2f}"]
        if theirs:
            peer, peer_low, peer_high = spread(theirs)
            cells += [f"{peer:.0f} ({peer_low:.0f} - {peer_high:.0f})",
                      f"{max(row['peak_gib'] for row in theirs):.2f}", f"{median / peer:.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
