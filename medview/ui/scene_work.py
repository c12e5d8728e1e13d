"""Draws volumes from outside, in a child process: imports vtk, and nothing of Qt.

The child keeps the volume it was given last, so that a turn of it sends a picture only.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.crop import CropBox
from medview.domain.errors import NOT_STAGED, MedviewError
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.progress import Progress
from medview.domain.scene import Scene
from medview.domain.volume import Volume
from medview.imaging.colour import colour_table
from medview.imaging.presets_3d import PRESETS, prepared
from medview.imaging.sight import sight_of

# A bay of 384 x 384 x 384 voxels; more takes long on a processor and shows no more.
_MOST_VOXELS = 384**3
# A coarse picture has every so-many-th pixel, and steps so much longer.
_COARSE = 3.0
_FINEST = 1.0
# A reader who turns on waits so long for a fine picture at most, or the next is less fine.
_PATIENCE_S = 0.8
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software")
_BACK = (0.0, 0.0, 0.0)
# The crop box: a light blue, and handles that a mouse hits.
_BOX, _HANDLE_PX = (0.55, 0.78, 0.95), 8.0


def stage(
    job: Progress, volume: Volume, overlay: ScalarMap | None, style: LayerStyle | None
) -> None:
    """Take a volume, and a map on its grid or None, in place of the one before.

    Raises
    ------
    MedviewError
        Where nothing can be drawn, as there is no OpenGL, not even in software.
    """
    job.check()
    _Stage.one = _Stage(volume, overlay, style)


def draw(job: Progress, scene: Scene) -> NDArray[np.uint8]:
    """A picture of what was staged, (height, width, 3) RGB."""
    if _Stage.one is None:
        raise MedviewError(
            "there is nothing to draw in 3-D", do="Open the 3-D view again.", code=NOT_STAGED
        )
    return _Stage.one.draw(job, scene)


class _Stage:
    """A renderer with one volume, and perhaps a map, in LPS millimetres."""

    one: _Stage | None = None

    def __init__(self, volume: Volume, overlay: ScalarMap | None, style: LayerStyle | None) -> None:
        # Without a display vtk must not look for one.
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        # Both fill vtk's factories: what draws, and what draws volumes.
        import vtkmodules.vtkRenderingOpenGL2
        import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
        from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        if not self._window.SupportsOpenGL():
            raise MedviewError(
                "the 3-D view needs OpenGL, which this machine does not offer",
                do="Use the planes and slabs, or install Mesa (libegl1).",
                code="MV-VIEW-001",
            )
        self._renderer = vtkRenderer()
        self._renderer.SetBackground(*_BACK)
        self._window.AddRenderer(self._renderer)
        self._fine = _FINEST
        values, step = prepared(volume, _MOST_VOXELS)
        self._geometry = volume.geometry
        self._affine = volume.geometry.affine @ np.diag([*step, 1.0])
        self._is_soft = self._draws_in_software()
        self._volume, self._mapper = self._add(values)
        self._overlay: Any = None
        if overlay is not None and style is not None:
            self._overlay = self._add_overlay(overlay, style, step)
        self._preset = ""
        self._cropped: CropBox | None = None
        self._box: Any = None

    def _draws_in_software(self) -> bool:
        said = str(self._window.ReportCapabilities()).lower()
        return any(word in said for word in _SOFTWARE)

    def _add(self, values: NDArray[np.int16]) -> tuple[Any, Any]:
        """A volume of these values on the grid; its data are kept alive with it."""
        from vtkmodules.util.numpy_support import numpy_to_vtk
        from vtkmodules.vtkCommonDataModel import vtkImageData
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkRenderingCore import vtkVolume
        from vtkmodules.vtkRenderingVolume import (
            vtkFixedPointVolumeRayCastMapper,
            vtkGPUVolumeRayCastMapper,
        )

        spacing = np.linalg.norm(self._affine[:3, :3], axis=0)
        image = vtkImageData()
        image.SetDimensions(*(int(n) for n in values.shape[::-1]))
        image.SetSpacing(*(float(mm) for mm in spacing[::-1]))
        image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=True))
        turn = np.eye(4)
        turn[:3, :3] = (self._affine[:3, :3] / spacing)[:, ::-1]
        turn[:3, 3] = self._affine[:3, 3]
        matrix = vtkMatrix4x4()
        matrix.DeepCopy(turn.ravel().tolist())
        kind = vtkFixedPointVolumeRayCastMapper if self._is_soft else vtkGPUVolumeRayCastMapper
        mapper = kind()
        mapper.SetInputData(image)
        mapper.SetAutoAdjustSampleDistances(0)
        made = vtkVolume()
        made.SetMapper(mapper)
        made.SetUserMatrix(matrix)
        self._renderer.AddVolume(made)
        return made, mapper

    def _add_overlay(
        self, overlay: ScalarMap, style: LayerStyle, step: tuple[int, int, int]
    ) -> tuple[Any, Any]:
        """The map over its threshold, shining through: 0..1000 spans the range of its colours."""
        from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
        from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkVolumeProperty

        k, j, i = step
        low, high = style.range
        share = (np.nan_to_num(overlay.array[::k, ::j, ::i]) - low) / max(high - low, 1e-9)
        values = np.clip(share * 1000.0, -1, 1000).astype(np.int16)
        made, mapper = self._add(np.ascontiguousarray(values))
        colours, opacity = vtkColorTransferFunction(), vtkPiecewiseFunction()
        for place, rgba in enumerate(colour_table(style.colour_map)[::15]):
            colours.AddRGBPoint(place * 1000.0 / 17, *(float(c) / 255 for c in rgba[:3]))
        begin = max((style.threshold - low) / max(high - low, 1e-9) * 1000.0, 1.0)
        opacity.AddPoint(begin - 1, 0.0)
        opacity.AddPoint(begin, 0.25 * style.opacity)
        opacity.AddPoint(1000.0, 0.9 * style.opacity)
        look = vtkVolumeProperty()
        look.SetColor(colours)
        look.SetScalarOpacity(opacity)
        look.SetInterpolationTypeToLinear()
        made.SetProperty(look)
        return made, mapper

    def draw(self, job: Progress, scene: Scene) -> NDArray[np.uint8]:
        """Set what has changed, draw, and read the picture back."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        width, height = scene.size
        self._window.SetSize(width, height)
        self._dress(scene)
        self._aim(scene)
        self._crop(scene.crop)
        self._set_steps(scene)
        job.check()
        began = time.monotonic()
        self._window.Render()
        self._learn(scene, time.monotonic() - began)
        data = vtkUnsignedCharArray()
        self._window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, data)  # type: ignore[call-overload]  # in vtk, not in its stubs
        pixels = vtk_to_numpy(data).reshape(height, width, 4)
        return np.ascontiguousarray(pixels[::-1, :, :3])

    def _learn(self, scene: Scene, seconds: float) -> None:
        """Draw fine pictures a little less fine where they take so long that one waits."""
        if scene.is_fine and seconds > _PATIENCE_S:
            self._fine = min(self._fine * 1.4, _COARSE)

    def _dress(self, scene: Scene) -> None:
        from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
        from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkVolumeProperty

        if self._overlay is not None:
            self._overlay[0].SetVisibility(int(scene.shows_overlay))
        dressed = f"{scene.preset} {scene.window}"
        if dressed == self._preset:
            return
        self._preset = dressed
        preset = PRESETS[scene.preset]
        colours, opacity = vtkColorTransferFunction(), vtkPiecewiseFunction()
        look = vtkVolumeProperty()
        if preset.is_mip:
            low, high = scene.window
            colours.AddRGBPoint(low, 0, 0, 0)
            colours.AddRGBPoint(high, 1, 1, 1)
            opacity.AddPoint(low, 0.0)
            opacity.AddPoint(high, 1.0)
            self._mapper.SetBlendModeToMaximumIntensity()
        else:
            for point in preset.colours:
                colours.AddRGBPoint(*point)
            for value, share in preset.opacities:
                opacity.AddPoint(value, share)
            self._mapper.SetBlendModeToComposite()
            look.ShadeOn()
            look.SetAmbient(0.25)
            look.SetDiffuse(0.75)
            look.SetSpecular(0.15)
        look.SetColor(colours)
        look.SetScalarOpacity(opacity)
        look.SetInterpolationTypeToLinear()
        self._volume.SetProperty(look)

    def _aim(self, scene: Scene) -> None:
        """Parallel rays, as readers are used to: sizes can be compared all over the picture."""
        sight = sight_of(self._geometry, scene)
        camera = self._renderer.GetActiveCamera()
        camera.ParallelProjectionOn()
        camera.SetFocalPoint(*sight.focus)
        # From outside at every zoom: rays are parallel, so how far is all the same.
        camera.SetPosition(*(sight.focus - sight.along * 4 * sight.half_mm * scene.zoom))
        camera.SetViewUp(*sight.up)
        camera.SetParallelScale(sight.half_mm)
        self._renderer.ResetCameraClippingRange()

    def _crop(self, box: CropBox | None) -> None:
        """Cut volume and map by the faces of a box and draw it, or show all of them."""
        from vtkmodules.vtkCommonDataModel import vtkPlanes

        if box is not None and self._box is None:
            self._box = self._new_box()
        if box != self._cropped:
            self._cropped = box
            self._box.SetVisibility(int(box is not None))
            for mapper in self._mappers:
                mapper.RemoveAllClippingPlanes()
                if box is not None:
                    (left, front, foot), (right, back, head) = box.low, box.high
                    self._box.PlaceWidget([left, right, front, back, foot, head])
                    planes = vtkPlanes()
                    self._box.GetPlanes(planes)
                    mapper.SetClippingPlanes(planes)
        if box is not None:
            # Its handles are as large in every picture, so they change with the zoom.
            self._box.BuildRepresentation()
            self._renderer.ResetCameraClippingRange()

    def _new_box(self) -> Any:
        """Six faces with a handle each; what is within is kept."""
        from vtkmodules.vtkInteractionWidgets import vtkBoxRepresentation

        made = vtkBoxRepresentation()
        made.SetRenderer(self._renderer)
        made.SetPlaceFactor(1.0)
        made.InsideOutOn()
        made.HandlesOn()
        made.SetHandleSize(_HANDLE_PX)
        made.SetOutlineCursorWires(0)
        for part in (made.GetOutlineProperty(), made.GetHandleProperty()):
            part.SetColor(*_BOX)
        # Lit and bright of themselves the lines would be white.
        made.GetOutlineProperty().LightingOff()
        made.GetOutlineProperty().SetAmbient(0.0)
        self._renderer.AddViewProp(made)
        return made

    @property
    def _mappers(self) -> list[Any]:
        return [self._mapper, *([] if self._overlay is None else [self._overlay[1]])]

    def _set_steps(self, scene: Scene) -> None:
        step = float(np.linalg.norm(self._affine[:3, :3], axis=0).min())
        coarse = self._fine if scene.is_fine else _COARSE
        for mapper in self._mappers:
            mapper.SetSampleDistance(step * (0.7 if scene.is_fine else 1.5))
            mapper.SetImageSampleDistance(coarse)
