"""Time series of an ICU stay fused with a chest film; either may be missing.

Rasekh et al., Robust fusion of time series and image data, arXiv 2405.15442: two LSTM layers,
a ResNet-34, one token of each, a transformer without positions, a head over both tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from medview.models.resnet import FEATURES, ResNet34

Missing = Literal["zero", "learned", "mask"]
Fusing = Literal["attention", "attention-cls", "concat", "lstm"]
FilmEncoder = Literal["resnet34", "features", "none"]
SeriesKind = Literal["lstm", "hourly"]
SERIES, FILM = 0, 1
"""Places of the two tokens."""
_LSTM_WIDTH = 512
"""Width of MedFuse's LSTM over the tokens."""


@dataclass(frozen=True, slots=True)
class FusionOptions:
    """Sizes and choices of the network; the defaults are the paper's.

    Parameters
    ----------
    columns : int
        Numbers of each hour: 76 in the benchmark layout, else what the variable map comes to.
    film : FilmEncoder
        "resnet34" reads pictures; "features" takes vectors of `film_features` that a frozen
        encoder made; "none" has no film branch: its token is always the missing one.
    encoder : SeriesKind
        "lstm" as in the paper; "hourly" sees one hour at a time, which is enough where an hour
        holds the lowest, highest and mean values so far.
    blank : tuple[int, ...]
        Columns that the network is not shown, whatever they say.
    missing : Missing
        What stands for an input that is not there: a zero token (as the authors), a learned
        token, or a zero token that no other token may look at.
    fusing : Fusing
        Transformer over the tokens and a flat head, the same read from an extra token, both
        vectors side by side, or MedFuse's LSTM over the tokens.
    """

    columns: int = 76
    hidden: int = 256
    width: int = 256
    heads: int = 8
    feed_forward: int = 1024
    blocks: int = 2
    outputs: int = 1
    series_dropout: float = 0.3
    dropout: float = 0.1
    film: FilmEncoder = "resnet34"
    film_features: int = FEATURES
    missing: Missing = "zero"
    fusing: Fusing = "attention"
    encoder: SeriesKind = "lstm"
    blank: tuple[int, ...] = ()


class HourlyEncoder(nn.Module):
    """Two layers on each hour by itself; there is no look at any other hour."""

    def __init__(self, columns: int, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(columns, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, width), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, series: Tensor) -> Tensor:
        """(B, T, columns) to (B, T, width)."""
        found: Tensor = self.layers(series)
        return found


class SeriesEncoder(nn.Module):
    """Two LSTM layers; the state after each hour depends on that hour and earlier ones only."""

    def __init__(self, columns: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.LSTM(columns, hidden, batch_first=True)
        self.second = nn.LSTM(hidden, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        for name, value in self.named_parameters():
            if "weight_ih" in name:
                nn.init.xavier_uniform_(value)
            elif "weight_hh" in name:
                nn.init.orthogonal_(value)
            else:
                nn.init.zeros_(value)

    def forward(self, series: Tensor) -> Tensor:
        """(B, T, columns) to the states after each hour, (B, T, hidden)."""
        states, _ = self.first(series)
        states, _ = self.second(self.dropout(states))
        kept: Tensor = self.dropout(states)
        return kept


class FusionNet(nn.Module):
    """Series and film to logits."""

    def __init__(self, options: FusionOptions | None = None) -> None:
        super().__init__()
        self.options = options = options or FusionOptions()
        self.series: nn.Module
        self.widen: nn.Module = nn.Identity()
        if options.encoder == "hourly":
            self.series = HourlyEncoder(
                options.columns, options.hidden, options.width, options.series_dropout
            )
        else:
            self.series = SeriesEncoder(options.columns, options.hidden, options.series_dropout)
            if options.hidden != options.width:
                self.widen = nn.Linear(options.hidden, options.width)
        self.film = ResNet34() if options.film == "resnet34" else nn.Identity()
        if options.film != "none":
            self.project = nn.Linear(options.film_features, options.width)
        if options.missing == "learned":
            self.absent = nn.Parameter(torch.randn(2, options.width) * 0.02)
        if options.fusing == "attention-cls":
            self.extra = nn.Parameter(torch.randn(options.width) * 0.02)
        if options.fusing.startswith("attention"):
            self.transformer = nn.ModuleList(_block(options) for _ in range(options.blocks))
        if options.fusing == "lstm":
            self.reader = nn.LSTM(options.width, _LSTM_WIDTH, batch_first=True)
        self.head = nn.Linear(_head_width(options), options.outputs)

    def states(self, series: Tensor) -> Tensor:
        """Series tokens after each hour, (B, T, width), of (B, T, columns)."""
        if self.options.blank:
            places = torch.tensor(self.options.blank, device=series.device)
            series = series.index_fill(-1, places, 0.0)
        found: Tensor = self.widen(self.series(series))
        return found

    def film_token(self, film: Tensor) -> Tensor:
        """Film tokens (B, width), of pictures (B, 3, H, W) or feature vectors (B, F)."""
        found: Tensor = self.project(self.film(film))
        return found

    def tokens(self, series: Tensor | None, film: Tensor | None, present: Tensor) -> Tensor:
        """The two tokens (B, 2, width); where `present` (B, 2) is False, what stands for it."""
        given = [token for token in (series, film) if token is not None]
        empty = torch.zeros_like(given[0]) if given else self._nothing(len(present))
        pair = torch.stack(
            [empty if series is None else series, empty if film is None else film], 1
        )
        nothing = pair.new_zeros(pair.shape[1:])
        instead = self.absent if self.options.missing == "learned" else nothing
        return torch.where(present[:, :, None], pair, instead)

    def fuse(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Tokens (B, 2, width) to logits (B, outputs)."""
        logits, _ = self._fused(tokens, present, weigh=False)
        return logits

    def attention(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Share of the attention that falls on each of the two tokens, (B, 2), sum 1.

        The mean over blocks, heads and looking tokens.
        """
        _, shares = self._fused(tokens, present, weigh=True)
        both = torch.stack(shares).mean((0, 2))[:, -2:]
        return both / both.sum(1, keepdim=True)

    def forward(
        self,
        series: Tensor | None,
        film: Tensor | None,
        present: Tensor,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, outputs) after the last valid hour; `lengths` (B,) counts hours."""
        state = None if series is None else last_valid(self.states(series), lengths)
        token = None if film is None else self.film_token(film)
        return self.fuse(self.tokens(state, token, present), present)

    def _nothing(self, rows: int) -> Tensor:
        return torch.zeros(rows, self.options.width, device=self.head.weight.device)

    def _fused(
        self, tokens: Tensor, present: Tensor, *, weigh: bool
    ) -> tuple[Tensor, list[Tensor]]:
        kind = self.options.fusing
        if kind == "concat":
            return self.head(tokens.flatten(1)), []
        if kind == "lstm":
            return self.head(self._read(tokens, present)), []
        hidden = self._hidden(present)
        if kind == "attention-cls":
            extra = self.extra.expand(len(tokens), 1, -1)
            tokens = torch.cat([extra, tokens], 1)
        shares = []
        for block in self.transformer:
            if weigh:
                look = cast(nn.TransformerEncoderLayer, block).self_attn
                shares.append(look(tokens, tokens, tokens, key_padding_mask=hidden)[1])
            tokens = block(tokens, src_key_padding_mask=hidden)
        kept = tokens[:, 0] if kind == "attention-cls" else tokens.flatten(1)
        return self.head(kept), shares

    def _hidden(self, present: Tensor) -> Tensor | None:
        """Which tokens nobody may look at, True; where all are missing none is hidden."""
        if self.options.missing != "mask":
            return None
        hidden = ~present & present.any(1, keepdim=True)
        if self.options.fusing == "attention-cls":
            hidden = torch.cat([torch.zeros_like(hidden[:, :1]), hidden], 1)
        return hidden

    def _read(self, tokens: Tensor, present: Tensor) -> Tensor:
        """MedFuse: the LSTM's state after the last token that is there."""
        states, _ = self.reader(tokens)
        last = torch.where(present[:, FILM], 1, 0)
        return last_valid(states, last + 1)


def last_valid(states: Tensor, lengths: Tensor | None) -> Tensor:
    """The state (B, width) after each row's last valid step, of (B, T, width)."""
    if lengths is None:
        return states[:, -1]
    return states[torch.arange(len(states), device=states.device), lengths - 1]


def _block(options: FusionOptions) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        options.width, options.heads, options.feed_forward, options.dropout, batch_first=True
    )


def _head_width(options: FusionOptions) -> int:
    widths = {"attention-cls": options.width, "lstm": _LSTM_WIDTH}
    return widths.get(options.fusing, 2 * options.width)
