"""Runs the converter, or a script, once per line of JSON on standard input, and prints a line for each.

{"argv": [...]} runs the converter as the command line does, {"script": "..."} these lines of Python. The answer is
{"status", "said"}: the exit status, or minus the signal, and what was printed. Each runs in a fork of this process, which
has imported what takes a second to import: it has its own limits of memory and time, and may crash.
"""
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

CONVERTER = Path(__file__).resolve().parents[2] / "model" / "convert"
sys.path.insert(0, str(CONVERTER))

import keras_reader  # noqa: E402, F401
import onnx_reader  # noqa: E402, F401

SPEC = importlib.util.spec_from_file_location("converter", CONVERTER / "__main__.py")
converter = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(converter)


def run(request):
    if "script" in request:
        exec(request["script"], {})
        return
    sys.argv = ["convert", *request["argv"]]
    converter.main()


def main():
    for line in sys.stdin:
        with tempfile.TemporaryFile() as said:
            child = os.fork()
            if not child:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                run(json.loads(line))
                sys.exit()
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            said.seek(0)
            print(json.dumps({"status": status, "said": said.read().decode()}), flush=True)


if __name__ == "__main__":
    main()
