"""The book of tokens: what is valid, until when, and how much is kept."""

from __future__ import annotations

import pytest

from controller.spec import KeyDigest, Secret
from controller.tokens import MOST_TOKENS, TokenBook

ANN = "a8263550-d587-4433-9eff-64020dd56c13"
BOB = "b8263550-d587-4433-9eff-64020dd56c13"
START = 1000.0  # seconds of Unix time


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """Read it."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give the clock of the book."""
    return Clock()


@pytest.fixture
def book(clock: Clock) -> TokenBook:
    """Give an empty book."""
    return TokenBook(clock)


def token(number: int = 1) -> KeyDigest:
    """Give the digest of one of many tokens."""
    return Secret(f"token {number}").digest


def test_a_token_is_its_principals_alone(book: TokenBook) -> None:
    """Who has none is in the answer all the same, and nobody else is."""
    book.grant(ANN, token(1), START + 60)
    book.grant(ANN, token(2), START + 60)
    book.grant(BOB, token(3), START + 60)
    assert book.valid([ANN, "nobody"]) == {
        ANN: frozenset({token(1), token(2)}),
        "nobody": frozenset(),
    }


def test_object_ids_have_no_case(book: TokenBook) -> None:
    """They are compared without it, and given in lower case."""
    book.grant(ANN.upper(), token(), START + 60)
    assert book.valid([ANN.title()]) == {ANN: frozenset({token()})}
    assert book.next_expiry([ANN.upper()]) == START + 60


def test_a_token_is_valid_until_it_expires(book: TokenBook, clock: Clock) -> None:
    """And not in that second any more; the others stay."""
    book.grant(ANN, token(1), START + 10)
    book.grant(ANN, token(2), START + 20)
    clock.now = START + 9.9
    assert book.valid([ANN])[ANN] == {token(1), token(2)}
    clock.now = START + 10
    assert book.valid([ANN])[ANN] == {token(2)}


def test_the_book_tells_when_it_has_to_be_read_again(
    book: TokenBook, clock: Clock
) -> None:
    """The earliest end of those that were asked for, and none when none is left."""
    assert book.next_expiry([ANN, BOB]) is None
    book.grant(ANN, token(1), START + 20)
    book.grant(ANN, token(2), START + 10)
    book.grant(BOB, token(3), START + 5)
    assert book.next_expiry([ANN]) == START + 10
    assert book.next_expiry([ANN, BOB]) == START + 5
    clock.now = START + 10
    assert book.next_expiry([ANN, BOB]) == START + 20
    clock.now = START + 20
    assert book.next_expiry([ANN, BOB]) is None


def test_nothing_is_kept_of_what_has_expired(book: TokenBook, clock: Clock) -> None:
    """Whoever signs in next, the book does not grow with those before."""
    book.grant(ANN, token(1), START + 10)
    clock.now = START + 10
    book.grant(BOB, token(2), START + 60)
    assert set(book._ends) == {BOB}


def test_a_token_may_be_granted_twice(book: TokenBook, clock: Clock) -> None:
    """Two sign-ins in one second give the same token; it stays one."""
    book.grant(ANN, token(), START + 10)
    book.grant(ANN, token(), START + 20)
    clock.now = START + 10
    assert book.valid([ANN])[ANN] == {token()}


def test_of_too_many_tokens_the_oldest_go(book: TokenBook) -> None:
    """A program that never stops signing in does not fill the servers."""
    book.grant(BOB, token(0), START + 60)
    for number in range(MOST_TOKENS):
        book.grant(ANN, token(number), START + 60)
    book.grant(ANN, token(0), START + 60)  # now the newest
    book.grant(ANN, token(MOST_TOKENS), START + 60)
    kept = book.valid([ANN])[ANN]
    assert len(kept) == MOST_TOKENS
    assert token(1) not in kept
    assert {token(0), token(2), token(MOST_TOKENS)} <= kept
    assert book.valid([BOB])[BOB] == {token(0)}
