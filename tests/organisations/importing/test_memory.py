import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from api.organisations.importing.columns import FREGATA
from api.organisations.importing.faults import Fault
from api.organisations.importing.reader import Row, read
from tests.organisations.fregata import fregata_file

TODAY = date(2026, 11, 24)


def peak(path: Path, expected: int, kind: type[Row] | type[Fault]) -> int:
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            count = sum(isinstance(one, kind) for one in read(file, FREGATA, TODAY).rows)
            highest = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == expected
    return highest


def whole(content: bytes) -> bytes:
    return content


def wrong(content: bytes) -> bytes:
    return content.replace(b";99100;", b";9910;")


@pytest.mark.parametrize(("change", "kind"), [(whole, Row), (wrong, Fault)])
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, change: Callable[[bytes], bytes], kind: type[Row] | type[Fault]
) -> None:
    peaks = []
    for rows in (1_000, 5_000, 50_000):
        content = change(fregata_file(rows))
        path = tmp_path / f"{rows}.csv"
        path.write_bytes(content)
        expected = rows if kind is Row else content.count(b";9910;")
        del content
        peaks.append(peak(path, expected, kind))
    _, small, large = peaks  # the first fills the caches of the modules
    assert large < 1.5 * small
    assert large < 2_000_000


def test_a_hundred_thousand_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(fregata_file(100_000, "cp1252"))
    with path.open("rb") as file:
        assert sum(isinstance(row, Row) for row in read(file, FREGATA, TODAY).rows) == 100_000


def test_memory_does_not_grow_with_a_line_that_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    header = fregata_file(0)
    path.write_bytes(header + b";" * 3_000_000)
    assert peak(path, 1, Fault) < 3_000_000
    path.write_bytes(header + b'"\n";' * 750_000)
    assert peak(path, 1, Fault) < 3_000_000
