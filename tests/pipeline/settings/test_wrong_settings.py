"""Each single mistake in settings is one line: where, what is wrong, what to write instead; and exit code 2."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pedigree.cli.main import main
from tests.mistakes.combinations import COMBINATIONS
from tests.mistakes.mistake import WrongSettings
from tests.mistakes.training import TRAINING
from tests.mistakes.values import VALUES


@pytest.mark.parametrize(
    "mistake", [*VALUES, *COMBINATIONS, *TRAINING], ids=lambda mistake: mistake.text.replace("\n", " ")[:60]
)
def test_a_mistake_is_one_line(
    mistake: WrongSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(mistake.text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["pedigree", "definition", "--settings", str(path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert f"{path}:{mistake.line}: " in err
    assert mistake.key in err
    assert mistake.cause in err
    assert mistake.remedy in err.split("; ", 1)[1]
