import pytest
import torch

from detection.numerics.networks import NETWORKS, TwoViews, fused, parameter_count

KINDS = pytest.mark.parametrize("kind", NETWORKS)


@KINDS
def test_the_network_has_fewer_than_a_hundred_thousand_parameters(kind):
    assert 10_000 < parameter_count(NETWORKS[kind]()) <= 100_000


@pytest.mark.parametrize(("kind", "outputs"), [("realbogus-cnn-1", 1), ("realbogus-cnn-2", 52)])
def test_a_logit_comes_out_for_each_stamp_and_with_two_views_one_for_each_type_and_the_features(kind, outputs):
    assert NETWORKS[kind]().eval()(torch.zeros(3, 8, 31, 31)).shape == (3, outputs)


@KINDS
def test_a_stamp_s_logit_does_not_depend_on_its_neighbours(kind):
    torch.manual_seed(1)
    network = NETWORKS[kind]().eval()
    images = torch.randn(5, 8, 31, 31)
    # Different batch sizes take different summation orders in float32.
    torch.testing.assert_close(network(images)[2:3], network(images[2:3]), atol=1e-5, rtol=1e-4)


@KINDS
def test_the_position_in_the_stamp_matters(kind):
    torch.manual_seed(1)
    network = NETWORKS[kind]().eval()
    centred, aside = torch.zeros(1, 8, 31, 31), torch.zeros(1, 8, 31, 31)
    centred[..., 15, 15] = aside[..., 3, 3] = 5.0
    assert not torch.allclose(network(centred), network(aside))


def test_only_the_network_of_two_views_sees_the_wide_one():
    torch.manual_seed(1)
    images = torch.randn(1, 8, 31, 31)
    other = torch.cat([images[:, :4], torch.randn(1, 4, 31, 31)], dim=1)
    seen = {kind: not torch.equal(*(network(i) for i in (images, other))) for kind, network in made().items()}
    assert seen == {"realbogus-cnn-1": False, "realbogus-cnn-2": True}


@KINDS
def test_what_is_fused_for_scoring_says_the_same(kind):
    torch.manual_seed(1)
    network = NETWORKS[kind]()
    network(torch.randn(64, 8, 31, 31))  # running statistics that are not those of a new network
    images = torch.randn(5, 8, 31, 31)
    with torch.inference_mode():
        before = network.eval()(images)
        torch.testing.assert_close(fused(network)(images), before, atol=1e-5, rtol=1e-4)


def made() -> dict[str, torch.nn.Module]:
    return {kind: network().eval() for kind, network in NETWORKS.items()}


def test_what_comes_out_is_the_mean_of_members_that_differ():
    torch.manual_seed(1)
    network = TwoViews().eval()
    images = torch.randn(4, 8, 31, 31)
    said, features = network.each(images)
    assert not torch.allclose(said[:, 0], said[:, 1])
    torch.testing.assert_close(network(images)[:, :4], said.mean(dim=1))
    torch.testing.assert_close(network(images)[:, 4:], features.flatten(1))
