"""The last few volumes that were read, for coming back to them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from medview.domain.study import Series
from medview.domain.volume import Volume


@dataclass(slots=True, eq=False)
class Kept:
    """A volume that was read; `sha256` is empty until it has been counted."""

    volume: Volume
    sha256: str = ""


class KeptVolumes:
    """Volumes by series and time point, of so many bytes; the newest is kept whatever its size."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, int], Kept] = OrderedDict()

    def get(self, series: Series, time: int) -> Kept | None:
        """What is kept of a series, which is then the last one to go; None: nothing."""
        found = self._kept.get((series.key, time))
        if found is not None:
            self._kept.move_to_end((series.key, time))
        return found

    def put(self, series: Series, time: int, volume: Volume) -> Kept:
        """Keep a volume; the ones that were asked for longest ago go."""
        made = self._kept[series.key, time] = Kept(volume)
        self._kept.move_to_end((series.key, time))
        while len(self._kept) > 1 and self._taken() > self._most_bytes:
            self._kept.popitem(last=False)
        return made

    def forget(self, series_uid: str) -> None:
        """Keep nothing of a series, whatever stacks it was read as."""
        for key in [key for key in self._kept if key[0].partition("#")[0] == series_uid]:
            del self._kept[key]

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()

    def _taken(self) -> int:
        return sum(kept.volume.array.nbytes for kept in self._kept.values())
