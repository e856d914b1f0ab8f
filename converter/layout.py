"""The algebra of axis orders.

A value keeps the axes of the source; its tensor may hold them in another order. A layout says which: tensor axis
``i`` is source axis ``layout[i]``. So a transposition of the source costs nothing, it only renames axes, and a
TRANSPOSE is written only where an operator asks for an order that the tensor does not have.
"""

from __future__ import annotations

from collections.abc import Sequence

Layout = tuple[int, ...]

NHWC: Layout = (0, 2, 3, 1)


def source_order(rank: int) -> Layout:
    """The layout that keeps the source's axes."""
    return tuple(range(rank))


def arrange(shape: Sequence[int], layout: Layout) -> tuple[int, ...]:
    """The tensor's shape for a value of ``shape``."""
    return tuple(shape[axis] for axis in layout)


def relative(have: Layout, want: Layout) -> Layout:
    """The permutation that a TRANSPOSE needs to turn a tensor in layout ``have`` into ``want``."""
    return tuple(have.index(axis) for axis in want)


def same_order(shape: Sequence[int], first: Layout, second: Layout) -> bool:
    """Whether both layouts hold the elements in the same order, as axes of length one do not matter."""
    return _long_axes(shape, first) == _long_axes(shape, second)


def _long_axes(shape: Sequence[int], layout: Layout) -> list[int]:
    return [axis for axis in layout if shape[axis] != 1]


def reshaped(source: Sequence[int], target: Sequence[int], layout: Layout) -> Layout | None:
    """The layout of a tensor after a reshape of the source value, ``None`` when it must be transposed first.

    Axes are matched in the smallest groups of equal element count; a reshape commutes with a transposition as long
    as that one moves whole groups.
    """
    groups = _matching_groups(source, target)
    if groups is None:
        return None
    order: list[int] = []
    remaining = _long_axes(source, layout)
    while remaining:
        group = next((pair for pair in groups if pair[0][0] == remaining[0]), None)
        if group is None or remaining[: len(group[0])] != group[0]:
            return None
        remaining = remaining[len(group[0]) :]
        order += group[1]
    return _with_unit_axes(target, order)


def _matching_groups(source: Sequence[int], target: Sequence[int]) -> list[tuple[list[int], list[int]]] | None:
    if 0 in source or 0 in target:
        return None
    left = [axis for axis, size in enumerate(source) if size != 1]
    right = [axis for axis, size in enumerate(target) if size != 1]
    groups: list[tuple[list[int], list[int]]] = []
    while left and right:
        taken, given = [left.pop(0)], [right.pop(0)]
        taken_size, given_size = source[taken[0]], target[given[0]]
        while taken_size != given_size:
            if taken_size < given_size:
                taken.append(left.pop(0))
                taken_size *= source[taken[-1]]
            else:
                given.append(right.pop(0))
                given_size *= target[given[-1]]
        groups.append((taken, given))
    return groups


def _with_unit_axes(shape: Sequence[int], order: list[int]) -> Layout:
    """``order`` completed by the axes of length one, in source order when the long axes already are."""
    if order == sorted(order):
        return source_order(len(shape))
    layout = list(order)
    for axis, size in enumerate(shape):
        if size == 1:
            before = layout.index(axis - 1) + 1 if axis else 0
            layout.insert(before, axis)
    return tuple(layout)


def without(layout: Layout, removed: Sequence[int]) -> Layout:
    """The layout after the source axes ``removed`` are gone and the others have moved up."""
    kept = [axis for axis in layout if axis not in removed]
    return tuple(sorted(kept).index(axis) for axis in kept)
