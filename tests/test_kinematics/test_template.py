"""Hand templates: what is shipped, fitting, files and what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.datasets import RHDDataset
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.kinematics import (
    SOURCE_TEMPLATE,
    BiomechanicalCorrection,
    HandTemplate,
    bone_ratios,
    fit_template,
    measure_bones,
)
from mmdualhand.structures import chirality_vote
from mmdualhand.synthesis.hand_shape import mean_hand_shape
from tests.test_kinematics.conftest import Hands

ROOT = Path(__file__).resolve().parents[2]


def content() -> dict:
    return json.loads(SOURCE_TEMPLATE.read_text())


def test_bones_by_hand() -> None:
    joints = torch.zeros(21, 3)
    joints[9], joints[10] = torch.tensor([0.0, 3, 4]), torch.tensor([0.0, 3, 6])
    joints[20] = torch.tensor([6.0, 0, 8])
    lengths = measure_bones(joints)
    assert lengths[2].tolist() == [5.0, 2.0, pytest.approx(45**0.5), 0.0]
    assert lengths[4].tolist() == [0.0, 0.0, 0.0, 10.0]
    assert bone_ratios(joints)[2, :2].tolist() == [2.5, 1.0]
    with pytest.raises(ValueError, match='joints'):
        measure_bones(torch.zeros(20, 3))


def test_the_shipped_template_is_the_average_embedded_hand(hands: Hands) -> None:
    """It was fitted to the joints of rendered pictures; freshly drawn hands have the same median."""
    template = HandTemplate.load(SOURCE_TEMPLATE)
    shape = mean_hand_shape()
    np.testing.assert_allclose(
        template.ratios[:, 1:], shape.segments / shape.segments[2, 0], rtol=0, atol=0.012
    )
    fresh = fit_template(hands.joints, hands.side)
    np.testing.assert_allclose(template.ratios, fresh.ratios, rtol=0, atol=0.02)
    np.testing.assert_allclose(template.palm, fresh.palm, rtol=0, atol=0.02)


def test_the_shipped_palm_is_a_right_one() -> None:
    palm = HandTemplate.load(SOURCE_TEMPLATE).palm
    hand = np.concatenate([palm[:1], np.repeat(palm[1:], 4, axis=0)])
    hand[[6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20], 2] += 1.0  # fingers flex to +z
    assert chirality_vote(hand[None]) == 'right'
    np.testing.assert_allclose(palm[0], 0, atol=1e-9)
    np.testing.assert_allclose(palm[3], [0, HandTemplate.load(SOURCE_TEMPLATE).ratios[2, 0], 0], atol=1e-6)


def test_fit_recovers_one_hand_from_both_sides_and_any_pose(hands: Hands) -> None:
    palm = HandTemplate.load(SOURCE_TEMPLATE).palm
    rho = BiomechanicalCorrection()
    corrected, _ = rho(hands.noisy[:50], hands.side[:50], hands.length[:50])
    corrected[3], corrected[4] = torch.nan, 0.0  # not to be counted
    fitted = fit_template(corrected, hands.side[:50])
    np.testing.assert_allclose(fitted.ratios, rho.ratios.numpy(), atol=1e-5)
    np.testing.assert_allclose(fitted.palm, palm, atol=1e-5)
    with pytest.raises(ConfigError, match='none of 2 hands'):
        fit_template(torch.full((2, 21, 3), torch.nan), torch.ones(2))


def test_files_round_trip(tmp_path: Path) -> None:
    template = HandTemplate.load(SOURCE_TEMPLATE)
    template.save(tmp_path / 'hand.json', 'a copy')
    again = HandTemplate.load(tmp_path / 'hand.json')
    np.testing.assert_array_equal(again.ratios, template.ratios)
    np.testing.assert_allclose(again.palm, template.palm, atol=1e-6)
    HandTemplate(template.ratios).save(tmp_path / 'ratios.json', 'no palm')
    assert HandTemplate.load(tmp_path / 'ratios.json').palm is None
    for given in (tmp_path / 'hand.json', str(tmp_path / 'hand.json'), content()):
        rho = BiomechanicalCorrection(template=given)
        torch.testing.assert_close(rho.ratios, BiomechanicalCorrection().ratios)
        assert rho.template == 'given' and not rho.state_dict()


def test_arrays_and_names_are_the_same() -> None:
    named, template = content(), HandTemplate.load(SOURCE_TEMPLATE)
    arrays = HandTemplate.from_dict(dict(ratios=template.ratios.tolist(), palm=template.palm))
    np.testing.assert_array_equal(HandTemplate.from_dict(named).ratios, arrays.ratios)
    shuffled = dict(ratios=dict(reversed(named['ratios'].items())), palm=named['palm'])
    np.testing.assert_array_equal(HandTemplate.from_dict(shuffled).ratios, arrays.ratios)


def changed(**rows: object) -> dict:
    values = content()
    for key, row in rows.items():
        table = values['ratios'] if key in values['ratios'] else values['palm']
        if row is None:
            del table[key]
        else:
            table[key] = row
    return values


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(ratioz=[]), "did you mean 'ratios'"),
        (dict(palm=np.zeros((6, 3))), "needs 'ratios'"),
        (changed(ring=None), 'ratios of a hand template: ring missing'),
        (dict(ratios=dict(content()['ratios'], pinki=[1, 1, 1, 1])), "did you mean 'pinky'"),
        (changed(ring=[1.0, 1.0, 1.0]), r'ratios of a hand template must be \(5, 4\) numbers'),
        (changed(ring=[1.0, 1.0, 1.0, 'x']), r'ratios of a hand template must be \(5, 4\) numbers'),
        (dict(ratios=np.ones((4, 5))), r'must be \(5, 4\) finite numbers, got shape \(4, 5\)'),
        (changed(ring=[1.6, 0.9, 0.0, 0.4]), 'must be positive'),
        (dict(ratios=2 * np.ones((5, 4))), 'divide all of them'),
        (changed(ring_mcp=[0.0, 3.0, 0.0]), 'ring_mcp is 3 reference bones.*ratios say 1.57'),
        (changed(wrist=[float('nan'), 0, 0]), 'palm of a hand template must be'),
        (dict(ratios=np.ones((5, 4)), palm=[[0, 0, 0]] + [[0, 1, 0]] * 5), 'lie on one line'),
    ],
)
def test_what_is_no_template(values: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BiomechanicalCorrection(template=values)


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match='fit_hand_template'):
        BiomechanicalCorrection(template=tmp_path / 'none.json')
    faults = {'{': 'broken.json is no hand template', '[1]': 'one object', '{"a": 1}': "'a' is not part"}
    for text, message in faults.items():
        (tmp_path / 'broken.json').write_text(text)
        with pytest.raises(ConfigError, match=re.escape(message)) as caught:
            BiomechanicalCorrection(template=tmp_path / 'broken.json')
        assert 'broken.json' in str(caught.value)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(limits='anatomicl'), "limits='anatomicl' is not a setting.*did you mean 'anatomical'"),
        (dict(limits=None), "limits=None is not a setting.*did you mean 'none'"),
        (dict(limits='fist'), "known: 'anatomical', 'klbr', 'none'"),
        (dict(palm='ridgid'), "did you mean 'rigid'"),
        (dict(placement='center'), "did you mean 'centroid'"),
        (dict(template='sauce'), "did you mean 'source'.*must end in .json"),
        (dict(template=3), "known: 'source', 'dataset', 'estimate'"),
        (dict(template=dict(ratios=content()['ratios'])), "add 'palm'.*or set palm='chain'"),
    ],
)
def test_wrong_settings_name_the_near_ones(arguments: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BiomechanicalCorrection(**arguments)


def test_ratios_alone_do_for_a_chain(hands: Hands) -> None:
    rho = BiomechanicalCorrection(palm='chain', template=dict(ratios=content()['ratios']))
    with_palm = BiomechanicalCorrection(palm='chain')
    torch.testing.assert_close(rho(*hands.head(5)[1:])[0], with_palm(*hands.head(5)[1:])[0])


def test_the_template_of_a_data_set_has_to_be_fitted(hands: Hands) -> None:
    rho = BiomechanicalCorrection(template='dataset')
    with pytest.raises(ConfigError, match='call fit_template'):
        rho(*hands.head(5)[1:])
    one = hands.joints[:1].repeat(5, 1, 1)
    rho.fit_template(one, hands.side[:1].repeat(5))
    corrected, valid = rho(hands.joints[:1], hands.side[:1], hands.length[:1])
    assert valid.all()
    torch.testing.assert_close(corrected, hands.joints[:1], rtol=0, atol=1e-3)  # its own template: no change
    restored = BiomechanicalCorrection(template='dataset')
    restored.load_state_dict(rho.state_dict())
    assert torch.equal(restored(*hands.head(5)[1:])[0], rho(*hands.head(5)[1:])[0])


def test_the_estimate_follows_the_predictions(hands: Hands) -> None:
    """Predictions of one hand, some of them broken: the template becomes this hand's."""
    rho, palm = BiomechanicalCorrection(template='estimate'), HandTemplate.load(SOURCE_TEMPLATE).palm
    torch.testing.assert_close(rho.ratios, BiomechanicalCorrection().ratios)
    long_fingers = content()
    long_fingers['ratios'] = {
        name: [row[0], row[1], 1.2 * row[2], 1.2 * row[3]] for name, row in long_fingers['ratios'].items()
    }
    other = BiomechanicalCorrection(limits='none', template=long_fingers)
    predictions, _ = other(*hands.head(64)[1:])
    predictions[5] = torch.nan
    rho.update_template(predictions.float(), hands.side[:64], momentum=0.25)
    torch.testing.assert_close(rho.ratios[:, 2], 1.05 * BiomechanicalCorrection().ratios[:, 2])
    for _ in range(40):
        rho.update_template(predictions.float(), hands.side[:64], momentum=0.25)
    torch.testing.assert_close(rho.ratios, other.ratios, rtol=0, atol=1e-4)
    fitted = torch.linalg.vector_norm(rho.palm_points[1:] - rho.palm_points[:1], dim=-1)
    torch.testing.assert_close(fitted, torch.from_numpy(np.linalg.norm(palm[1:], axis=1)).float())
    before = rho.ratios.clone(), rho.palm_points.clone()
    rho.update_template(torch.full((3, 21, 3), torch.nan), torch.ones(3))
    torch.testing.assert_close((rho.ratios, rho.palm_points), before)
    restored = BiomechanicalCorrection(template='estimate')
    restored.load_state_dict(rho.state_dict())
    assert torch.equal(restored.ratios, rho.ratios)


def test_templates_that_do_not_move_say_so(hands: Hands) -> None:
    with pytest.raises(ConfigError, match="update_template is for template='estimate'"):
        BiomechanicalCorrection().update_template(hands.joints, hands.side)
    with pytest.raises(ConfigError, match="fit_template is for template='dataset'"):
        BiomechanicalCorrection(template='estimate').fit_template(hands.joints, hands.side)
    with pytest.raises(ConfigError, match='momentum'):
        BiomechanicalCorrection(template='estimate').update_template(hands.joints, hands.side, momentum=0.0)


def test_settings_are_printed() -> None:
    text = repr(BiomechanicalCorrection(placement='xy'))
    assert text == (
        "BiomechanicalCorrection(limits='anatomical', palm='rigid', template='source', placement='xy')"
    )


def test_the_tool_fits_a_set(rhd_root: Path, tmp_path: Path) -> None:
    """The medians of the 32 hands of the fixture set, in a file that rho takes."""
    out = tmp_path / 'hand.json'
    command = [sys.executable, str(ROOT / 'tools' / 'fit_hand_template.py'), str(rhd_root), '--out', str(out)]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert '32 hands' in done.stdout
    dataset = RHDDataset(rhd_root, selection=None)
    joints = torch.from_numpy(np.stack([dataset.load_record(row)['keypoints_3d'] for row in range(32)]))
    medians = np.sort(bone_ratios(joints).numpy(), axis=0)[15]  # the lower of the two in the middle
    np.testing.assert_allclose(HandTemplate.load(out).ratios, medians, rtol=0, atol=1e-6)
    assert BiomechanicalCorrection(template=out).palm_points.shape == (6, 3)
