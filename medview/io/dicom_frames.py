"""The frames of a DICOM file and the functional groups that describe them (R16)."""

from __future__ import annotations

from medview.io.dicom_values import Header


class Frames:
    """The frames of a file and the functional groups that describe them (R16)."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.count = max(1, header.whole("NumberOfFrames") or 1)
        self._per_frame = header.items("PerFrameFunctionalGroupsSequence")
        self._shared = header.item("SharedFunctionalGroupsSequence")
        self._shared_groups: dict[str, Header | None] = {}

    @property
    def is_enhanced(self) -> bool:
        """True when frames are described one by one."""
        return bool(self._per_frame)

    def group(self, frame: int, sequence: str) -> Header | None:
        """The functional group of a frame, its own before the shared one."""
        if frame < len(self._per_frame):
            own = self._per_frame[frame].item(sequence)
            if own is not None:
                return own
        if sequence not in self._shared_groups:
            self._shared_groups[sequence] = self._shared.item(sequence) if self._shared else None
        return self._shared_groups[sequence]

    def numbers(self, frame: int, sequence: str, keyword: str) -> tuple[float, ...]:
        """Numbers of a group; a file with a single frame may say them at the top."""
        group = self.group(frame, sequence)
        if group is not None and (values := group.numbers(keyword)):
            return values
        return self.header.numbers(keyword) if self.count == 1 else ()
