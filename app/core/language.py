"""Whether a text is in the one language whose words the checklist knows."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.prose import vocabulary

ENGLISH = vocabulary(
    "the a an to of in and is are for on it this that with be not we should when as from by can "
    "has have if or but at was will does do no there i you"
)
FOREIGN = vocabulary(
    "der die das und ist nicht ein eine mit für auf den dem wird wir soll sollte bei beim wenn "
    "kein le la les une est pas pour dans avec nous sur qui que du sont être lorsque il faut el "
    "los las una por para cuando debe como lo gli di che per non sono della quando deve nel "
    "um uma não da em ao het een niet van met wordt moet als nie jest się że dla oraz gdy"
)
ENOUGH = 8


def reads_english(words: Sequence[str]) -> bool:
    """Few words are taken as English: product names and verbs are the same everywhere."""
    if len(words) < ENOUGH:
        letters = "".join(words)
        return not letters or sum(char.isascii() for char in letters) * 2 >= len(letters)
    plain = sum(word.isascii() for word in words)
    if plain * 2 < len(words):
        return False
    english = sum(word in ENGLISH for word in words)
    foreign = sum(word in FOREIGN and word not in ENGLISH for word in words)
    return foreign < 3 or foreign * 10 < len(words) or english * 2 >= foreign
