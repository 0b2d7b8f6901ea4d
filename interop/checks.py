"""Checks in Python, told to interop/run.ts in lines: `ok NAME`, `not ok NAME: REASON`, and `done COUNT` in the end."""

import sys
import time
import traceback

_count = 0


def check(name):
    """Decorator: runs the function at once, as the check of this name."""

    def run(function):
        global _count
        _count += 1
        try:
            function()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}".replace("\n", " | ")
            print(f"not ok {name}: {reason[:1500]}", flush=True)
        else:
            print(f"ok {name}", flush=True)

    return run


def done():
    """Must come last: without it, what was not run would look like success."""
    print(f"done {_count}", flush=True)
    sys.stdout.flush()


def equal(found, wanted):
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"


def contains(text, *parts):
    for part in parts:
        assert part in str(text), f"{part!r} is not in {str(text)!r}"


def raises(error_class, function, *args, **options):
    try:
        result = function(*args, **options)
    except error_class as error:
        return error
    raise AssertionError(f"nothing was raised, but {result!r} returned")


def eventually(function, seconds=10):
    """Waits until the function gives something true."""
    until = time.monotonic() + seconds
    while not (result := function()):
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)
    return result
