"""Text files: read with a sentence for what is wrong, written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
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
        raise unreadable(path, error) from error


def unreadable(path: Path | str, error: OSError) -> BankError:
    """Error about a file that is not there, is a folder, or may not be read."""
    return BankError(f"{path} cannot be read ({error.strerror}); check the path.")


def file_hash(path: Path | str) -> str:
    """SHA-256 of the bytes of a file, in hexadecimal.

    Raises
    ------
    BankError
        When there is no such file; a pipe is none, because it cannot be read twice.
    """
    if not Path(path).is_file():
        raise BankError(f"{path} is not a file; give the path of one.")
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def write_text(path: Path | str, text: str) -> None:
    """Write a file; see write_parts."""
    write_parts(path, (text,))


def write_parts(path: Path | str, parts: Iterable[str]) -> None:
    """Write a file beside its target and put it in its place; what is no file (a pipe, a device) is written to.

    Parameters
    ----------
    path : Path or str
    parts : iterable of str
        The text, in pieces, so that a large one need not be in memory.

    Raises
    ------
    BankError
        When the folder of the file does not exist.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        with open(target, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(parts)
        return
    if not target.parent.is_dir():
        raise BankError(f"There is no folder {target.parent}; make it first, or give another path.")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    beside = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(target.stat().st_mode if target.exists() else 0o644)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
