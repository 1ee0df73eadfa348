"""Drawing with OpenCV: skeletons, masks, depth and attention maps, contact sheets, and the hook for them."""

from __future__ import annotations

from mmdualhand.visualization.label_curves import draw_label_curves, label_table, read_label_curves
from mmdualhand.visualization.label_sheet import label_sheet
from mmdualhand.visualization.overlays import (
    ATTENTION_ANCHORS,
    DEPTH_ANCHORS,
    MASK_COLOUR,
    attention_heatmap,
    colorize_depth,
    overlay_mask,
)
from mmdualhand.visualization.panels import panel
from mmdualhand.visualization.sample_panel import prediction_panel, sample_epe
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
from mmdualhand.visualization.visualization_hook import HandVisualizationHook

__all__ = [
    'ATTENTION_ANCHORS',
    'DEPTH_ANCHORS',
    'FINGER_COLOURS',
    'JOINT_COLOURS',
    'MASK_COLOUR',
    'REFERENCE_COLOUR',
    'VIEW_AXES',
    'WRIST_COLOUR',
    'HandVisualizationHook',
    'attention_heatmap',
    'colorize_depth',
    'draw_label_curves',
    'draw_skeleton_2d',
    'draw_skeleton_3d',
    'label_sheet',
    'label_table',
    'overlay_mask',
    'panel',
    'prediction_panel',
    'read_label_curves',
    'sample_epe',
    'skeleton_extent',
]
