"""The campaign from the command line: ``python -m tests.campaign --minutes 10``.

Random expressions, networks and changed textbook formulas are drawn, block by block, until the time
is up or one fails; then it is shrunk and printed as a spec (or as formulas with a point), with the
command that draws it again, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings

from tests.campaign.runner import BLOCK, KINDS, run_block, seeds


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, help="of the first block (default: another each time)")
    parser.add_argument("--only", choices=list(KINDS), help="one kind of case")
    parser.add_argument("--replay", metavar="KIND:SEED", help="run one block again")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a failure")
    given = parser.parse_args(arguments)
    warnings.simplefilter("error")
    if given.replay is not None:
        kind, _, seed = given.replay.rpartition(":")
        if kind not in KINDS or not seed.isdigit():
            parser.error(f"--replay: expected KIND:SEED, KIND one of {', '.join(KINDS)}")
        failure = run_block(kind, int(seed))
        print(failure or f"{BLOCK} {kind} of seed {seed}: all right")
        return int(failure is not None)
    first = int(time.time()) if given.seed is None else given.seed
    end = time.monotonic() + 60 * given.minutes
    done, failures = dict.fromkeys(KINDS, 0), 0
    for kind, seed in seeds(first, given.only):
        if time.monotonic() >= end or (failures and not given.keep_going):
            break
        failure = run_block(kind, seed)
        done[kind] += BLOCK
        if failure is not None:
            failures += 1
            print(failure, flush=True)
    said = ", ".join(f"{count} {kind}" for kind, count in done.items() if count)
    print(f"{said or 'nothing'} from seed {first}: {failures or 'no'} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
