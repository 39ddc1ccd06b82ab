"""Answers with what az commands print; see `tests.e2e.driver`.

A call is the list of a command's arguments; the result is what it prints, read as JSON.
One interpreter for all commands: starting it takes longer than most of them.
"""

from __future__ import annotations

import io
import json
import sys

from azure.cli.core import (  # type: ignore[import-not-found]  # in its own environment
    get_default_cli,
)


def answer(arguments: list[str], errors: io.StringIO) -> dict[str, object]:
    """Run one command; its exit status is the code of an error."""
    errors.seek(0)
    errors.truncate()
    out = io.StringIO()
    try:
        status = get_default_cli().invoke(arguments, out_file=out)
    except SystemExit as end:
        status = end.code
    if status:
        return {"code": str(status), "message": errors.getvalue()}
    printed = out.getvalue()
    return {"result": json.loads(printed) if printed.strip() else None}


def main() -> None:
    """Answer until the input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    sys.stderr = errors = io.StringIO()  # az keeps hold of it from the first command on
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line), errors)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
