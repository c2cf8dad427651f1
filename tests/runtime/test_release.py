from pathlib import Path

from runtime.release import answers_digest


def test_other_code_has_another_digest_and_the_same_the_same(tmp_path: Path) -> None:
    seen = [answers_digest(), answers_digest(tmp_path)]
    for name, content in (("a.py", "1"), ("a.py", "2"), ("b.py", "2"), ("b.py", "2")):
        (tmp_path / "api").mkdir(exist_ok=True)
        (tmp_path / "api" / name).write_text(content)
        seen.append(answers_digest(tmp_path))
    assert seen[-1] == seen[-2]
    assert len(set(seen)) == len(seen) - 1
    assert answers_digest() == seen[0]
