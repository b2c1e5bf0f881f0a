"""Catalogues as people have them: their magnitudes, and colours in columns of their own."""

import numpy as np
import pytest
from django.test import override_settings

from preprocessing.star_catalog import Band, StarCatalog, open_catalog
from preprocessing.star_table import read_table


def _table(tmp_path, head, *rows):
    path = tmp_path / "stars.csv"
    path.write_text("\n".join(["# name: of a test", "# band: R", head, *rows]))
    return path


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("bp_rp", "BP-RP"), ("BP-RP", "BP-RP"), ("g_r", "g-r"), ("g-i", "g-i"), ("b_v", "B-V"), ("B-V", "B-V"),
        ("(V-I)", "V-I"), ("color_g_r", "g-r"), ("colour_BP_RP", "BP-RP"),
    ],
)  # fmt: skip
def test_a_column_of_colours_is_known_by_its_name(tmp_path, column, name):
    table = read_table(_table(tmp_path, f"ra,dec,mag,{column}", "10,20,12.5,0.8", "11,21,13.5,"))
    assert list(table.colours) == [name]
    np.testing.assert_array_equal(table.colours[name], [0.8, np.nan])


@pytest.mark.parametrize("column", ["ra_dec", "e_bv", "x_y", "pm_ra", "g_v", "id"])
def test_other_columns_are_no_colours(tmp_path, column):
    assert read_table(_table(tmp_path, f"ra,dec,mag,{column}", "10,20,12.5,0.8")).colours == {}


def test_colours_of_a_file_are_kept_and_go_with_their_stars(tmp_path, empty_data_root):
    path = _table(tmp_path, "ra,dec,mag,bp_rp", "10,20,12.5,0.8", "10.01,10,13.5,1.2", "10,20.01,14,0.4")
    with override_settings(ASTRID_STAR_CATALOG=str(path)):
        near = open_catalog().cone(10.0, 20.0, 0.5)
    name, colour = near.colour()
    assert name == "BP-RP"
    np.testing.assert_allclose(colour, [0.8, 0.4])
    assert near.magnitudes.shape == (1, 2)


def test_of_several_colours_the_one_with_the_longest_lever_counts_and_none_is_none():
    bands = tuple(Band(name, "AB") for name in ("r", "g", "i"))
    rows = np.array([[12.0], [12.6], [11.7]])
    catalog = StarCatalog("test", "", np.zeros(1), np.zeros(1), rows, bands)
    name, colour = catalog.colour()
    assert name == "g-i" and colour == pytest.approx([0.9])
    assert StarCatalog("test", "", np.zeros(1), np.zeros(1), rows[:1], bands[:1]).colour() is None
