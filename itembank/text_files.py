"""Text files: read with a sentence for what is wrong, written whole or not at all."""

import os
import tempfile
from pathlib import Path

from engine.errors import BankError


def read_text(path: Path | str) -> str:
    """Text of a file in UTF-8, with or without the mark that some programs put in front.

    Raises
    ------
    BankError
        When the file cannot be read or is in another encoding.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BankError(f"{path} is not UTF-8 text; save it in that encoding.") from error
    except OSError as error:
        raise BankError(f"{path} cannot be read ({error.strerror}); check the path.") from error


def write_text(path: Path | str, text: str) -> None:
    """Write a file beside its target and put it in its place; what is no file (a pipe, a device) is written to.

    Raises
    ------
    BankError
        When the folder of the file does not exist.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8", newline="\n")
        return
    if not target.parent.is_dir():
        raise BankError(f"There is no folder {target.parent}; make it first, or give another path.")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    beside = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(target.stat().st_mode if target.exists() else 0o644)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
