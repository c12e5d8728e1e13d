"""The workspaces that are kept, written beside the window; what is not on the disk yet counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medview.domain.errors import DataError, MedviewError
from medview.services.workspace import Workspace
from medview.services.workspace_files import (
    Draft,
    delete_drafts,
    delete_workspace,
    lost_drafts,
    read_workspace,
    write_draft,
    write_workspace,
)
from medview.services.writing import Writer


@dataclass(frozen=True, slots=True, eq=False)
class _Unwritten:
    """What was asked for and is not on the disk; `workspace` None where all is to go."""

    workspace: Workspace | None


class WorkspaceStore:
    """One workspace a study (its hash) below `root`.

    `refused` is told when the disk refuses, and not again before a write has gone well.
    """

    def __init__(
        self, root: Path, writer: Writer, refused: Callable[[MedviewError], object]
    ) -> None:
        self._root, self._writer, self._tell = root, writer, refused
        self._is_refused = False
        self._unwritten: dict[str, _Unwritten] = {}

    def read(
        self,
        study: str,
        done: Callable[[Workspace | None], object],
        damaged: Callable[[], object] = lambda: None,
    ) -> None:
        """Call `done` with how a study was left, None when nothing is kept.

        A file that is damaged is put aside under another name, and `damaged` is called.
        """
        if study in self._unwritten:
            done(self._unwritten[study].workspace)
            return
        root = self._root
        self._writer.fetch(lambda: read_workspace(root, study), done, lambda error: damaged())

    def keep(
        self, study: str, workspace: Workspace, done: Callable[[], object] = lambda: None
    ) -> None:
        """Keep how a study was left; its draft goes."""
        root = self._root
        self._put(study, workspace, lambda: write_workspace(root, study, workspace), done)

    def keep_behind(
        self,
        study: str,
        join: Callable[[Workspace | None], Workspace],
        done: Callable[[], object] = lambda: None,
    ) -> None:
        """Keep what `join` makes of how a study was left; both are done beside the window."""
        root = self._root

        def work() -> None:
            try:
                kept = read_workspace(root, study)
            except DataError:  # it was put aside
                kept = None
            write_workspace(root, study, join(kept))

        def written() -> None:
            self._on_written()
            done()

        self._writer.put(work, key=f"kept {study}", done=written, failed=self._on_refused)

    def forget(self, study: str) -> None:
        """Delete what is kept of a study."""
        root = self._root
        self._put(study, None, lambda: delete_workspace(root, study), lambda: None)

    def keep_draft(self, draft: Draft) -> None:
        """Keep what would be lost if the program ended now."""
        root = self._root
        self._writer.put(
            lambda: write_draft(root, draft),
            key=f"draft {draft.study}",
            done=self._on_written,
            failed=self._on_refused,
        )

    def lost(self, done: Callable[[list[Draft]], object]) -> None:
        """Call `done` with what programs that did not end well had not saved, newest first."""
        root = self._root
        self._writer.fetch(lambda: lost_drafts(root), done)

    def recover(self, done: Callable[[list[Draft]], object]) -> None:
        """Take all that was lost for kept, then call `done` with it; the newest first."""

        def keep(drafts: list[Draft]) -> None:
            for draft in reversed(drafts):
                self.keep(draft.study, draft.workspace)
            done(drafts)

        self.lost(keep)

    def skip(self) -> None:
        """Leave what was lost away, for good."""
        root = self._root
        self._writer.put(lambda: delete_drafts(root), failed=self._on_refused)

    def _put(
        self,
        study: str,
        workspace: Workspace | None,
        work: Callable[[], object],
        done: Callable[[], object],
    ) -> None:
        mine = self._unwritten[study] = _Unwritten(workspace)

        def written() -> None:
            if self._unwritten.get(study) is mine:
                del self._unwritten[study]
            self._on_written()
            done()

        self._writer.put(work, key=f"kept {study}", done=written, failed=self._on_refused)

    def _on_written(self) -> None:
        self._is_refused = False

    def _on_refused(self, error: MedviewError) -> None:
        if not self._is_refused:
            self._is_refused = True
            self._tell(error)
