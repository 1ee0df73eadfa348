"""Drawings: skeletons, masks, depth and attention maps, contact sheets, the hook for them, and charts."""

from __future__ import annotations

from mmdualhand.visualization.crop_view import crop_view, crop_view_points
from mmdualhand.visualization.hand_view import (
    SIDE_COLOURS,
    HandStyle,
    draw_hand,
    draw_hands,
    hand_space_view,
    side_by_side,
)
from mmdualhand.visualization.label_curves import (
    LabelCurves,
    draw_label_curves,
    label_table,
    read_label_curves,
)
from mmdualhand.visualization.label_sheet import label_sheet
from mmdualhand.visualization.map_on_photo import depth_on_photo, map_on_photo, mask_on_photo
from mmdualhand.visualization.orbit_view import draw_skeleton_orbit, view_axes
from mmdualhand.visualization.overlays import (
    ATTENTION_ANCHORS,
    DEPTH_ANCHORS,
    MASK_COLOUR,
    attention_heatmap,
    colorize_depth,
    overlay_mask,
)
from mmdualhand.visualization.panels import panel
from mmdualhand.visualization.sample_fields import first_field
from mmdualhand.visualization.sample_panel import prediction_panel, sample_epe
from mmdualhand.visualization.scalars import read_scalars
from mmdualhand.visualization.skeleton_drawing import (
    FINGER_COLOURS,
    JOINT_COLOURS,
    REFERENCE_COLOUR,
    VIEW_AXES,
    WRIST_COLOUR,
    draw_skeleton_2d,
    draw_skeleton_3d,
    skeleton_extent,
)
from mmdualhand.visualization.svg_figure import CHART_COLOURS, chart_colour, svg_figure
from mmdualhand.visualization.visualization_hook import HandVisualizationHook

__all__ = [
    'ATTENTION_ANCHORS',
    'CHART_COLOURS',
    'DEPTH_ANCHORS',
    'FINGER_COLOURS',
    'JOINT_COLOURS',
    'MASK_COLOUR',
    'REFERENCE_COLOUR',
    'SIDE_COLOURS',
    'VIEW_AXES',
    'WRIST_COLOUR',
    'HandStyle',
    'HandVisualizationHook',
    'LabelCurves',
    'attention_heatmap',
    'chart_colour',
    'colorize_depth',
    'crop_view',
    'crop_view_points',
    'depth_on_photo',
    'draw_hand',
    'draw_hands',
    'draw_label_curves',
    'draw_skeleton_2d',
    'draw_skeleton_3d',
    'draw_skeleton_orbit',
    'first_field',
    'hand_space_view',
    'label_sheet',
    'label_table',
    'map_on_photo',
    'mask_on_photo',
    'overlay_mask',
    'panel',
    'prediction_panel',
    'read_label_curves',
    'read_scalars',
    'sample_epe',
    'side_by_side',
    'skeleton_extent',
    'svg_figure',
    'view_axes',
]
