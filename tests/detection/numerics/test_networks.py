import torch

from detection.numerics.networks import RealBogusNetwork, parameter_count


def test_the_network_has_fewer_than_a_hundred_thousand_parameters():
    assert 10_000 < parameter_count(RealBogusNetwork()) <= 100_000


def test_one_logit_comes_out_for_each_stamp():
    network = RealBogusNetwork().eval()
    assert network(torch.zeros(3, 4, 31, 31)).shape == (3,)


def test_a_stamp_s_logit_does_not_depend_on_its_neighbours():
    torch.manual_seed(1)
    network = RealBogusNetwork().eval()
    images = torch.randn(5, 4, 31, 31)
    # Different batch sizes take different summation orders in float32.
    torch.testing.assert_close(network(images)[2:3], network(images[2:3]), atol=1e-5, rtol=1e-4)


def test_the_position_in_the_stamp_matters():
    torch.manual_seed(1)
    network = RealBogusNetwork().eval()
    centred, aside = torch.zeros(1, 4, 31, 31), torch.zeros(1, 4, 31, 31)
    centred[..., 15, 15] = aside[..., 3, 3] = 5.0
    assert not torch.allclose(network(centred), network(aside))
