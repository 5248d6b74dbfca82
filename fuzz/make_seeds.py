#!/usr/bin/env python3
"""Writes one seed file per published case: gold, a zero byte, prediction.  make_seeds.py DATA_FOLDER OUT_FOLDER"""
import glob
import json
import os
import sys

data, out = sys.argv[1:]
os.makedirs(out, exist_ok=True)
number = 0
for path in sorted(glob.glob(os.path.join(data, "math_equivalence", "*.jsonl"))):
    for line in open(path, encoding="utf-8"):
        case = json.loads(line)
        golds = case["gold"] if isinstance(case["gold"], list) else [case["gold"]]
        for gold in golds:
            with open(os.path.join(out, f"{number:05}"), "wb") as seed:
                seed.write(f"{gold or ''}\0{case['prediction'] or ''}".encode())
            number += 1
here = os.path.dirname(os.path.abspath(__file__))
for line in open(os.path.join(here, "../tests/rewards/cases/math_cases.jsonl"), encoding="utf-8"):
    case = json.loads(line)
    with open(os.path.join(out, f"{number:05}"), "wb") as seed:
        seed.write(f"{case['gold']}\0{case['answer']}".encode())
    number += 1
print(f"{number} seeds in {out}")
