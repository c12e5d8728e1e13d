"""What the program talks about: frozen values that know neither Qt, torch nor files.

Rules of geometry and grey values, which the code names by their numbers, as "(R22)":

Space
    R1 world coordinates are LPS mm; other conventions turn where they come in. R3 a pixel lies
    where position, orientation and spacing of its slice put it, its centre counted. R4 axes are
    of length 1 and at right angles, or that is told.
Stacks
    R6 slices of one volume share series, frame of reference, orientation, size, spacing and kind.
    R8 the distance of slices is the median of their positions', never what a header calls
    thickness. R9 missing slices are told, blank and hatched. R10 of slices at one place equal
    ones are dropped, others part the series. R11 the step between slices comes from first and
    last position. R12 a tilted stack keeps its sheared grid; planes across it are resampled.
    R14 volumes of one place are told apart by the first header field that does it. R15 which one
    did is told, and the reader may choose another.
Multi-frame
    R16 what a frame does not say itself its shared groups say. R18 frames without a place are a
    film loop, not a volume. R19 in nuclear medicine the sign of the spacing is the direction.
Labels
    R20 letters at the edges come from the matrix that draws, at most two, none without a known
    orientation. R21 the side that a file names is shown, and a contradiction told. R22 lengths
    are mm in the patient, mm at the detector or pixels, whichever is known. R23 two things lie
    on each other only in one frame of reference.
Grey values
    R24 stored bits, then the modality's table or slope, then the window. R26 windows are those
    of the standard, and every proposed one is offered. R27 inverted films are turned once, after
    the window. R28 padding takes no part in windows, statistics or models. R29 colour has no
    window. R30 overlays of a file are drawn where it places them. R31 a presentation state turns
    first and mirrors then.
NIfTI
    R34 sform, else qform, else the orientation is unknown; where they differ the reader chooses.
    R35 a quaternion gives axes with the third one's sign apart. R36 without units or sizes there
    are no mm. R37 a slope of 0 or no number means unscaled. R38 the fourth axis is time. R39 data
    keep their order on disk. R40 both transforms are written, a sheared one as sform alone. R41
    side files count in seconds, gradients in image axes.
Results
    R43 a volume is voxels times the determinant. R44 distances are measured in the world, never
    as indices times spacing.
"""
