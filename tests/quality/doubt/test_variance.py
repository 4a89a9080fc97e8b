import numpy as np
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import variance_shares


def ishigami(x):
    """Ishigami and Homma (1990) with a = 7, b = 0.1 on [-pi, pi]."""
    z = np.pi * (2 * x - 1)
    return (np.sin(z[0]) + 7 * np.sin(z[1]) ** 2 + 0.1 * z[2] ** 4 * np.sin(z[0]))[None]


def test_the_ishigami_function_has_its_analytic_shares():
    found = variance_shares(ishigami, 3, 8192).pooled()
    v1, v2 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8
    v13 = 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = v1 + v2 + v13
    assert found["first"] == pytest.approx([v1 / whole, v2 / whole, 0], abs=0.01)
    assert found["total"] == pytest.approx([(v1 + v13) / whole, v2 / whole, v13 / whole], abs=0.01)
    assert found["first"] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)


def test_the_g_function_has_its_analytic_shares():
    """Saltelli and Sobol (1995): prod (|4 x - 2| + a) / (1 + a)."""
    a = np.array([0, 1, 4.5, 9, 99])
    found = variance_shares(lambda x: np.prod((np.abs(4 * x.T - 2) + a) / (1 + a), axis=1)[None], len(a), 8192).pooled()
    own = 1 / 3 / (1 + a) ** 2
    whole = np.prod(1 + own) - 1
    assert found["first"] == pytest.approx(own / whole, abs=0.015)
    assert found["total"] == pytest.approx(own * np.prod(1 + own) / (1 + own) / whole, abs=0.015)


def test_several_outputs_are_pooled_by_their_variance_and_a_constant_one_has_no_share():
    def outputs(x):
        return np.array([3 * (x[0] > 0.5), x[1] > 0.5, 0 * x[0] + 5], dtype=float)

    found = variance_shares(outputs, 2, 256)
    assert found.pooled()["first"] == pytest.approx([0.9, 0.1], abs=0.02)
    assert found.pooled(slice(1, 2))["total"] == pytest.approx([0, 1], abs=0.02)
    assert (found.pooled(slice(2, 3))["first"] == 0).all()


def test_the_standard_errors_cover_what_the_estimates_miss():
    whole = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2 + 49 / 8 + 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    z = []
    for seed in range(30):
        found = variance_shares(ishigami, 3, 256, seed).pooled()
        z.append((found["total"][1] - 49 / 8 / whole) / found["total_error"][1])
    assert np.mean(np.abs(z) < 3.18) >= 0.85  # Student's t with 3 degrees of freedom: 95 %


@pytest.mark.parametrize("samples", [100, 8, 96])
def test_a_number_of_samples_that_makes_no_design_is_refused(samples):
    with pytest.raises(CatalogueError, match="make no Sobol design"):
        variance_shares(ishigami, 3, samples)
