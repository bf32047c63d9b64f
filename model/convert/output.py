"""What the converter may overwrite."""


def output_problem(source, out):
    """Why `out` may not be written, None if it may: other files must never be lost."""
    if out.suffix.lower() != ".gguf":
        return f"the output file must end in .gguf; {out} does not"
    if not out.exists():
        return None
    if source.exists() and out.samefile(source):
        return f"{out} is the network itself. Choose another name for the output"
    if not out.is_file():
        return f"{out} is not a regular file. Choose another name"
    with out.open("rb") as file:
        head = file.read(4)
    return None if head in (b"", b"GGUF") else f"{out} is not a GGUF file, so it was not changed. Choose another name"
