from collections.abc import Sequence

import pandas as pd

class Fourier:
    def __init__(self, period: float, order: int) -> None: ...

class DeterministicProcess:
    def __init__(
        self,
        index: pd.RangeIndex,
        *,
        period: int,
        constant: bool,
        order: int,
        seasonal: bool,
        additional_terms: Sequence[Fourier],
        drop: bool,
    ) -> None: ...
    def in_sample(self) -> pd.DataFrame: ...
    def out_of_sample(self, steps: int) -> pd.DataFrame: ...
