"""Converts each network of a JSON list [{"name", "path", "arguments"}] in one process, which is much quicker than one each.

python3 tests/convert/convert_all.py LIST FOLDER writes FOLDER/NUMBER.gguf and prints a JSON list: null, or the sentence of
the refusal.
"""
import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "model" / "convert"))

import __main__ as this  # noqa: E402, F401
import importlib.util  # noqa: E402

SPEC = importlib.util.spec_from_file_location("converter", Path(sys.path[0]) / "__main__.py")
converter = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(converter)


def main():
    said = []
    for number, one in enumerate(json.loads(Path(sys.argv[1]).read_text())):
        sys.argv[1:] = sys.argv[1:3]
        argv, sys.argv = sys.argv, ["convert", one["path"], f"{sys.argv[2]}/{number}.gguf", *one["arguments"]]
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                converter.convert(converter.arguments())
            said.append(None)
        except converter.ConvertError as error:
            said.append(str(error))
        finally:
            sys.argv = argv
    print(json.dumps(said))


if __name__ == "__main__":
    main()
