import numpy as np
from numpy.typing import NDArray

class _Fitted:
    params: NDArray[np.float64]

class OLS:
    def __init__(self, endog: NDArray[np.float64], exog: NDArray[np.float64]) -> None: ...
    def fit(self) -> _Fitted: ...
