"""Dockerfiles of the simple form are followed as docker would; anything else is refused with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.images.build_context import BuildContext
from pedigree.localaws.images.dockerfile import DockerImage, followed
from pedigree.localaws.images.dockerfile_text import Instruction, instructions, raw_words, unquoted, with_values
from pedigree.localaws.images.errors import RecipeError
from pedigree.localaws.images.package_lists import merged
from pedigree.localaws.images.run_commands import RunError, effects
from tests.support.folders import write_files

FILES = {
    "train.py": "",
    "requirements.txt": "numpy==1.26.4  # a comment\n--extra-index-url https://example.com/simple\n-r more.txt\n\n",
    "more.txt": "six==1.17.0 --hash=sha256:0\n",
    "program/train": "#!/usr/bin/env python\n",
    "program/lib/steps.py": "",
    "data/a.csv": "",
    "data/b.csv": "",
}


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(write_files(tmp_path / "context", FILES))


def targets(image: DockerImage) -> dict[str, str]:
    """Where the image has which file of its folder."""
    return {target: str(copied.source.relative_to(image.context.folder)) for target, copied in image.files.items()}


def test_instructions_are_one_line_each_without_comments() -> None:
    text = "# syntax=docker/dockerfile:1\n\nfrom python:3.11 AS base\nRUN a && \\\n  # why\n\n  b \\ \n  c\n  ENV X=1"
    assert list(instructions(text)) == [
        Instruction(3, "FROM", "python:3.11 AS base"),
        Instruction(4, "RUN", "a &&    b    c"),
        Instruction(9, "ENV", "X=1"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("${A}/x", "1/x"),
        ("a$A.b", "a1.b"),
        ("${B}", ""),
        ("${B:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY-other}", ""),
        ("${A:+set}", "set"),
        ("${B:+set}", ""),
        (r"\$A", "$A"),
        ("'$A'", "$A"),
        ('"$A b"', "1 b"),
        ("'a'\"b\"c", "abc"),
        ("$(whoami)", "$(whoami)"),
    ],
)
def test_variables_have_the_values_that_docker_gives_them(text: str, value: str) -> None:
    assert unquoted(text, {"A": "1", "EMPTY": ""}) == value


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("COPY train.py /opt/program/", {"/opt/program/train.py": "train.py"}),
        ("COPY train.py /opt/program", {"/opt/program": "train.py"}),
        ("COPY train.py /opt/ml/code", {"/opt/ml/code/train.py": "train.py"}),
        ("WORKDIR /app\nCOPY train.py .", {"/app/train.py": "train.py"}),
        ("WORKDIR /app\nWORKDIR src\nADD ./train.py main.py", {"/app/src/main.py": "train.py"}),
        ("RUN mkdir -p /a/b && true\nCOPY train.py /a/b", {"/a/b/train.py": "train.py"}),
        ("COPY --chown=1:1 --link program /opt/program",
         {"/opt/program/train": "program/train", "/opt/program/lib/steps.py": "program/lib/steps.py"}),
        ("COPY program/ /", {"/train": "program/train", "/lib/steps.py": "program/lib/steps.py"}),
        ("COPY data/*.csv train.py x/",
         {"/x/a.csv": "data/a.csv", "/x/b.csv": "data/b.csv", "/x/train.py": "train.py"}),
        ("ARG CODE=/opt/ml/code\nENV X=$CODE\nCOPY train.py ${X}/main.py", {"/opt/ml/code/main.py": "train.py"}),
        ('COPY ["train.py", "/a b/"]', {"/a b/train.py": "train.py"}),
        ("COPY /train.py /../../main.py", {"/main.py": "train.py"}),
    ],
)  # fmt: skip
def test_files_are_where_docker_copies_them(context: BuildContext, lines: str, expected: dict[str, str]) -> None:
    assert targets(followed(f"FROM python:3.11\n{lines}", context)) == expected


def test_what_dockerignore_leaves_out_is_not_copied(context: BuildContext) -> None:
    write_files(context.folder, {".dockerignore": "# why\n*.txt\n**/lib\ndata/*\n!data/a.csv\n.dockerignore\n"})
    image = followed("FROM python\nCOPY . /app", context)
    assert targets(image) == {f"/app/{name}": name for name in ("train.py", "program/train", "data/a.csv")}


@pytest.mark.parametrize(
    ("lines", "packages"),
    [
        ("RUN pip install a b==1 'c>=2' \"d[x]\"", ["a", "b==1", "c>=2", "d[x]"]),
        ("RUN pip3 --no-cache-dir install -U --user boto3>=1.15.0 a", ["boto3>=1.15.0", "a"]),
        ("RUN python3 -m pip install --upgrade pip setuptools && /opt/conda/bin/pip install a", ["a"]),
        ("RUN wget https://bootstrap.pypa.io/get-pip.py && python get-pip.py && rm get-pip.py && pip install a", ["a"]),
        ("RUN uv pip install --system a", ["a"]),
        ("RUN --mount=type=cache,target=/root/.cache pip install a", ["a"]),
        ('RUN ["pip", "install", "a"]', ["a"]),
        ("RUN pip install a -f https://x -i https://y", ["a", "--find-links https://x", "--index-url https://y"]),
        ("RUN pip install a --extra-index-url=https://x", ["a", "--extra-index-url https://x"]),
        ("RUN pip install --default-timeout 100 a > /dev/null 2>&1", ["a"]),
        ("ARG V=2\nRUN pip install a==${V}", ["a==2"]),
        ("RUN pip install git+https://example.com/a@v1", ["git+https://example.com/a@v1"]),
        ("COPY requirements.txt more.txt /t/\nRUN cd /t && pip install -r requirements.txt",
         ["numpy==1.26.4", "--extra-index-url https://example.com/simple", "six==1.17.0"]),
        ("WORKDIR /t\nCOPY more.txt .\nRUN pip install --requirement=more.txt", ["six==1.17.0"]),
        ("WORKDIR /t\nCOPY more.txt .\nRUN pip install -rmore.txt", ["six==1.17.0"]),
    ],
)  # fmt: skip
def test_packages_are_those_that_pip_would_install(context: BuildContext, lines: str, packages: list[str]) -> None:
    assert followed(f"FROM python:3.11\n{lines}", context).packages == packages


@pytest.mark.parametrize(
    ("lines", "entrypoint", "command"),
    [
        ('ENTRYPOINT ["python3", "/a.py"]', ("python3", "/a.py"), ()),
        ('ENTRYPOINT ["/usr/local/bin/python3.8", "/a.py"]', ("python", "/a.py"), ()),
        ('ENTRYPOINT ["a"]\nCMD ["b", "c"]', ("a",), ("b", "c")),
        ('CMD ["b"]\nENTRYPOINT ["a"]', ("a",), ()),
        ("CMD python a.py", (), ("/bin/sh", "-c", "python a.py")),
        ("ENTRYPOINT python $X", ("/bin/sh", "-c", "python $X"), ()),
    ],
)
def test_programs_are_lists_or_lines_of_shell(
    context: BuildContext, lines: str, entrypoint: tuple[str, ...], command: tuple[str, ...]
) -> None:
    image = followed(f"FROM python:3.11\n{lines}", context)
    assert (image.entrypoint, image.command) == (entrypoint, command)


def test_variables_may_be_of_the_older_form_and_extend_the_path(context: BuildContext) -> None:
    lines = 'ENV A some value\nENV B="x y" C=$A\nENV PATH="/opt/program:${PATH}"\nENV PYTHONPATH $PYTHONPATH:/app'
    image = followed(f"FROM python\n{lines}", context)
    assert image.variables == {
        "A": "some value", "B": "x y", "C": "some value", "PATH": "/opt/program:${PATH}", "PYTHONPATH": ":/app"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "arguments", "base"),
    [
        ("FROM --platform=linux/amd64 python:3.11 AS x", {}, "python:3.11"),
        ("ARG R=eu-west-1\nFROM 1.dkr.ecr.${R}.amazonaws.com/a:1", {}, "1.dkr.ecr.eu-west-1.amazonaws.com/a:1"),
        ("ARG BASE\nFROM $BASE", {"BASE": "python:3.9"}, "python:3.9"),
        ("ARG V=3.8\nFROM python:$V", {"V": "3.12"}, "python:3.12"),
        ("FROM python:${V:-3.10}", {}, "python:3.10"),
        ("ARG R\nFROM 763104351884.dkr.ecr.${R}.amazonaws.com/a:1", {}, "763104351884.dkr.ecr.any.amazonaws.com/a:1"),
    ],
)
def test_the_first_image_may_depend_on_arguments(
    context: BuildContext, text: str, arguments: dict[str, str], base: str
) -> None:
    assert followed(text, context, arguments).base == base


def test_what_installs_programs_of_the_system_is_skipped_and_said(context: BuildContext) -> None:
    image = followed("FROM ubuntu\nRUN apt-get update && apt-get install -y \\\n nginx\nUSER 1\nEXPOSE 8080", context)
    assert image.notes == [
        "line 2 of its Dockerfile is skipped: apt-get update",
        "line 2 of its Dockerfile is skipped: apt-get install -y nginx",
    ]


def test_chmod_makes_what_was_copied_executable(context: BuildContext) -> None:
    lines = "COPY train.py data/a.csv /a/\nRUN chmod +x /a/train.py && chmod 644 /a/a.csv\nCOPY --chmod=755 train.py /b"
    files = followed(f"FROM python\n{lines}", context).files
    assert [target for target, copied in files.items() if copied.is_executable] == ["/a/train.py", "/b"]


def test_a_recipe_may_skip_what_is_not_followed(context: BuildContext) -> None:
    lines = "RUN curl https://x | sh\nRUN conda install -y a && pip install b\nHEALTHCHECK NONE"
    image = followed(f"FROM python\n{lines}", context, skip=["RUN curl *", "RUN conda install*"])
    assert (image.packages, len(image.notes)) == ([], 2)
    image = followed("FROM python\nRUN conda install a; pip install b", context, skip=["RUN conda install a"])
    assert image.packages == ["b"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("FROM a\nFROM b", "line 2 (FROM b): only one FROM is followed"),
        ("RUN x", "line 1 (RUN x): it comes before FROM"),
        ("", "it has no FROM"),
        ("ARG X\nFROM $X", "its image depends on an ARG without a value"),
        ("FROM ${X}:1", "its image depends on an ARG without a value"),
        ("FROM a\nRUN make all", "line 2 (RUN make all): make is not followed"),
        ("FROM a\nRUN a=$(b) pip install c", "commands inside of commands"),
        ("FROM a\nRUN curl x | sh", "commands inside of commands and pipes"),
        ("FROM a\nRUN (pip install b)", "commands inside of commands"),
        ("FROM a\nRUN pip install 'b", "its quotes cannot be read"),
        ("FROM a\nRUN pip install .", "pip install . is not followed"),
        ("FROM a\nRUN pip install -e .", "pip install --editable is not followed"),
        ("FROM a\nRUN pip install /tmp/x.whl", "pip install /tmp/x.whl is not followed"),
        ("FROM a\nRUN pip install -r requirements.txt", "needs a file that no COPY above has brought"),
        ("FROM a\nRUN python -c 'print(1)'", "python is not followed"),
        ("FROM a\nRUN python setup.py install", "python is not followed"),
        ("FROM a\nRUN ln -s /opt/a /opt/b", "a link is not followed"),
        ("FROM a\nRUN <<EOF\nx\nEOF", "a here-document is not followed"),
        ("FROM a\nCOPY --from=b /x /y", "--from is not followed"),
        ("FROM a\nCOPY nothing /x", "nothing is not in"),
        ("FROM a\nCOPY ../x /x", "../x is outside of"),
        ("FROM a\nCOPY x", "it names no file and no target"),
        ("FROM a\nADD https://example.com/x /x", "is not downloaded or unpacked"),
        ("FROM a\nADD x.tar.gz /x", "is not downloaded or unpacked"),
        ("FROM a\nONBUILD RUN x", "ONBUILD is not followed"),
        ("FROM a\nENV X", "a name without a value"),
        ("FROM a\nFORM b", "FORM is not followed"),
        ("# escape=`\nFROM a", "another character for escapes"),
    ],
)
def test_what_cannot_be_followed_is_one_line_with_its_place(context: BuildContext, lines: str, problem: str) -> None:
    with pytest.raises(RecipeError) as raised:
        followed(lines, context)
    assert problem in raised.value.cause
    assert raised.value.remedy
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("command", "pattern"),
    [("apt-get update && curl -O x", "RUN curl*"), ("ln -s /a /b", "RUN ln*"), ("curl x | sh", "RUN curl*")],
)
def test_the_remedy_is_what_to_add_to_the_recipe(context: BuildContext, command: str, pattern: str) -> None:
    with pytest.raises(RecipeError) as raised:
        followed(f"FROM a\nRUN {command}", context)
    assert f'add skip = ["{pattern}"] to the recipe' in raised.value.remedy
    assert followed(f"FROM a\nRUN {command}", context, skip=[pattern]).base == "a"


def test_files_of_packages_that_name_each_other_end(context: BuildContext) -> None:
    write_files(context.folder, {"a.txt": "-r b.txt", "b.txt": "-r a.txt"})
    with pytest.raises(RecipeError, match="needs a file"):
        followed("FROM a\nCOPY a.txt b.txt /\nRUN pip install -r a.txt", context)


@pytest.mark.parametrize("source", ["outside/secret", "outside", "outside/*"])
def test_a_link_does_not_lead_out_of_the_folder(context: BuildContext, source: str, tmp_path: Path) -> None:
    write_files(tmp_path / "elsewhere", {"secret": ""})
    (context.folder / "outside").symlink_to(tmp_path / "elsewhere")
    try:
        image = followed(f"FROM a\nCOPY {source} /x/", context)
    except RecipeError:
        return
    assert [copied.source for copied in image.files.values() if not copied.source.is_symlink()] == []


def test_a_large_list_of_packages_is_refused(context: BuildContext) -> None:
    write_files(context.folder, {"more.txt": "a\n" * (1 << 20)})
    with pytest.raises(RecipeError, match="is too large"):
        followed("FROM a\nCOPY more.txt /\nRUN pip install -r more.txt", context)


@given(st.text(alphabet="FROMRUNCOPYADDENVARG \\\n\"'$#{}:-+=[]|&;()<>*?./abc\x00~`é", max_size=120))
def test_any_text_is_followed_or_refused_in_one_line(text: str) -> None:
    try:
        followed(f"FROM a\n{text}", BuildContext(Path(os.devnull)))
    except RecipeError as error:
        assert "\n" not in str(error)  # noqa: PT017  # whether it is raised depends on the example


@given(st.text(max_size=60), st.dictionaries(st.sampled_from("ABC"), st.text(max_size=5)))
def test_any_words_can_be_read(text: str, variables: dict[str, str]) -> None:
    assert all(isinstance(unquoted(word, variables), str) for word in raw_words(text))
    assert isinstance(with_values(text, variables), str)


@given(st.text(alphabet="pip install-r=.&;|()'\" \\\n/abc", max_size=80))
def test_any_command_is_followed_or_refused(text: str) -> None:
    try:
        effects(text, "/")
    except RunError as error:
        assert str(error)  # noqa: PT017  # whether it is raised depends on the example


@pytest.mark.parametrize(
    ("packages", "more", "expected"),
    [
        (["a==1", "b==2"], ["A", "c"], ("a==1", "b==2", "c")),
        (["a-b==1"], ["a_b==2"], ("a_b==2",)),
        (["a==1"], ["a[x]"], ("a[x]",)),
        (["--find-links x"], ["--find-links x", "--find-links y"], ("--find-links x", "--find-links y")),
        ([], ["git+https://x/a", "a @ https://x"], ("git+https://x/a", "a @ https://x")),
    ],
)
def test_a_later_line_replaces_what_an_earlier_one_says_of_a_package(
    packages: list[str], more: list[str], expected: tuple[str, ...]
) -> None:
    assert merged(packages, more) == expected
