from datetime import date
from io import BytesIO

import pytest

from api.organisations.importing.columns import FREGATA
from api.organisations.importing.mapping import Mapping, layout_of
from api.organisations.importing.reader import Reading, Row, read
from tests.organisations.fregata import HEADERS, fregata_file, fregata_rows

TODAY = date(2026, 11, 24)
PLAIN = Mapping(last_name="last", first_name="first", birth_date="born", external_id="id")


def of_fregata(content: bytes) -> Reading:
    return read(BytesIO(content), FREGATA, TODAY)


def names(reading: Reading) -> list[str]:
    assert reading.faults == ()
    return [row.values.first_name if isinstance(row, Row) else row.sentence for row in reading.rows]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252"), ("mac-roman", "Mac Roman")],
)
def test_the_encoding_and_the_delimiter_are_found(codec: str, name: str, delimiter: str) -> None:
    reading = of_fregata(fregata_file(50, codec, delimiter=delimiter))
    assert (reading.encoding, reading.delimiter) == (name, delimiter)
    assert names(reading) == [row["Premier prénom*"] for row in fregata_rows(50)]


def test_accents_typed_apart_in_the_header_are_the_same_letters() -> None:
    content = fregata_file(1).decode().replace("Premier prénom*", "Premier pre\u0301nom*")
    assert of_fregata(content.encode()).faults == ()


@pytest.mark.parametrize(
    "content",
    [
        fregata_file(5, "utf-16"),
        fregata_file(5, "cp850"),
        b"PK\x03\x04\x00\x00" + bytes(200),
        fregata_file(5) + b"\x00",
        fregata_file(5, "cp1252").replace("Premier prénom*".encode("cp1252"), b"Prenom*"),
    ],
    ids=["UTF-16", "DOS", "workbook", "NUL", "Windows-1252 without the check column"],
)
def test_other_encodings_are_refused(content: bytes) -> None:
    (fault,) = of_fregata(content).faults
    assert fault.told()["code"] == "ENCODING_NOT_SUPPORTED"
    assert fault.told()["accepted"] == ["UTF-8", "Windows-1252", "Mac Roman"]
    assert "Premier prénom*" in fault.sentence


@pytest.mark.parametrize("place", [70_000, 150_000])
def test_a_file_that_is_utf_8_at_its_beginning_only_is_refused(place: int) -> None:
    content = fregata_file(2_000)
    assert place < len(content)
    (fault,) = of_fregata(content[:place] + b"\xe9 " + content[place:]).faults
    assert fault.code == "ENCODING_NOT_SUPPORTED"


def test_utf_8_without_the_check_column_is_a_matter_of_the_header() -> None:
    content = fregata_file(5).replace("Premier prénom*".encode(), b"Prenom")
    reading = of_fregata(content)
    assert [(fault.column, fault.code) for fault in reading.faults] == [
        ("Prenom", "HEADER_UNKNOWN"),
        ("Premier prénom*", "HEADER_REQUIRED"),
    ]


def test_characters_across_chunks_are_read() -> None:
    for shift in range(4):
        content = (";".join(HEADERS) + "\n" + " " * shift).encode()
        rows = ("é" * 200 + ";") * 400
        reading = of_fregata(content + ("\n" + rows).encode())
        assert reading.encoding == "UTF-8"


def of_plain(content: bytes, mapping: Mapping = PLAIN) -> Reading:
    return read(BytesIO(content), layout_of(mapping), TODAY)


def test_a_header_without_accents_falls_to_the_next_encoding_that_can_read_the_file() -> None:
    content = "last,first,born,id\nNoël,Zoé,05/11/2008,1\n"
    assert names(of_plain(content.encode())) == ["Zoé"]
    windows = of_plain(content.encode("cp1252"))
    assert (windows.encoding, names(windows)) == ("Windows-1252", ["Zoé"])
    late = "last,first,born,id\n" + "Li,Zoe,05/11/2008,1\n" * 10_000
    assert names(of_plain((late + "Li,Zoé,05/11/2008,1\n").encode("cp1252")))[-1] == "Zoé"


def test_a_mapping_may_tell_the_encoding() -> None:
    content = "last,first,born,id\nNoël,Zoé,05/11/2008,1\n".encode("mac-roman")
    assert names(of_plain(content)) == ["ZoŽ"]  # nothing in the header tells: hence the setting
    told = of_plain(content, PLAIN.model_copy(update={"encoding": "Mac Roman"}))
    assert (told.encoding, names(told)) == ("Mac Roman", ["Zoé"])


def test_the_header_with_an_accent_tells_the_encoding() -> None:
    mapping = Mapping(last_name="Nom", first_name="Prenom", birth_date="Né le", external_id="Code")
    content = "Nom;Prenom;Né le;Code\nNoël;Zoé;05/11/2008;1\n"
    reading = of_plain(content.encode("mac-roman"), mapping)
    assert (reading.encoding, names(reading)) == ("Mac Roman", ["Zoé"])


def test_the_mark_of_utf_8_is_believed() -> None:
    content = b"\xef\xbb\xbfid,last,first,born\n1,No\xc3\xabl,Zo\xe9,05/11/2008\n"
    (fault,) = of_plain(content).faults
    assert fault.code == "ENCODING_NOT_SUPPORTED"


def test_a_last_letter_of_windows_is_not_a_cut_character() -> None:
    windows = of_plain("id,born,last,first\n1,05/11/2008,Martin,André".encode("cp1252"))
    assert (windows.encoding, names(windows)) == ("Windows-1252", ["André"])
    cut = of_plain("id,born,last,first\n1,05/11/2008,Martin,André".encode()[:-1])
    assert "inside a character" in names(cut)[-1]
