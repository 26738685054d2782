"""Which encoding and delimiter a file is written in: those under which its header is recognised."""

import codecs
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Final

from api.organisations.importing.delimited import rows
from api.organisations.importing.faults import ENCODING_NOT_SUPPORTED, Fault
from api.organisations.importing.layout import UTF_8, Encoding, Layout, header_name

DELIMITERS: Final = (";", ",", "\t", "|")
_CHUNK: Final = 65_536


@dataclass(frozen=True)
class Written:
    """How a file is written; ``cut``: it ends inside a character."""

    encoding: Encoding
    delimiter: str
    cut: bool


@dataclass(frozen=True)
class _Decoding:
    pending: bytes
    """The bytes of a character that the end of the file cuts."""
    accented: bool

    @property
    def cut(self) -> bool:
        """Whether the file is surely of this encoding and cut, rather than of another where these bytes are a letter.

        One byte from E0 on, in a file without any other accent, is the é of Windows; the first of a French letter in
        UTF-8 is C3 or C5.
        """
        return bool(self.pending) and (self.accented or len(self.pending) > 1 or self.pending[0] < 0xE0)


def written(file: IO[bytes], layout: Layout) -> Written | Fault:
    """Find how a file is written.

    Parameters
    ----------
    file : IO[bytes]
        Seekable; read several times, in chunks.
    layout : Layout
        What the file should hold; the header ``layout.check`` tells the encoding.

    Returns
    -------
    Written or Fault
        The first encoding under which the whole file can be read and its header has the check column. A file that is
        UTF-8 without that column counts as UTF-8: its header is what is wrong.
    """
    fallback = None
    for encoding in _candidates(file, layout):
        decoding = _decoding(file, encoding.codec)
        if decoding is None:
            continue
        delimiter, checked = _delimiter(file, encoding.codec, layout)
        found = Written(encoding, delimiter, decoding.cut)
        if checked and (decoding.cut or not decoding.pending):
            return found
        if encoding == UTF_8:
            fallback = Written(encoding, delimiter, bool(decoding.pending))
    return fallback or _unknown(layout)


def _candidates(file: IO[bytes], layout: Layout) -> tuple[Encoding, ...]:
    """Return the encodings to try: none for a file that is no text, UTF-8 alone for one that says so by its mark."""
    file.seek(0)
    if any(b"\x00" in chunk for chunk in iter(lambda: file.read(_CHUNK), b"")):
        return ()
    file.seek(0)
    return (UTF_8,) if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else layout.encodings


def _decoding(file: IO[bytes], codec: str) -> _Decoding | None:
    """Decode the whole file; None when it is not of this encoding."""
    decoder = codecs.getincrementaldecoder(codec)()
    accented = False
    file.seek(0)
    try:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            accented |= not decoder.decode(chunk).isascii()
    except UnicodeDecodeError:
        return None
    return _Decoding(decoder.getstate()[0], accented)


def _delimiter(file: IO[bytes], codec: str, layout: Layout) -> tuple[str, bool]:
    """Find the delimiter under which most of the header is known, and tell whether the check column is."""
    known = {header_name(column.header) for column in layout.columns}
    best, most = DELIMITERS[0], (False, 0)
    for delimiter in DELIMITERS:
        with closing(rows(file, codec, delimiter)) as found:
            first = next(found, None)
        names = set() if first is None or isinstance(first, Fault) else {header_name(cell) for cell in first.cells}
        count = (header_name(layout.check) in names, len(names & known))
        if count > most:
            best, most = delimiter, count
    return best, most[0]


def _unknown(layout: Layout) -> Fault:
    accepted = [encoding.name for encoding in layout.encodings]
    sentence = (
        f"The column {layout.check} is recognised in none of the encodings {', '.join(accepted)}, or the file is no "
        "text: check its header, and save it as CSV in UTF-8."
    )
    return Fault(1, None, ENCODING_NOT_SUPPORTED, sentence, {"accepted": accepted})
