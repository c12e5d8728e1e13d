"""Results as DICOM objects of their study: SEG, Parametric Map, SR, Key Objects, GSPS, PDF.

One module each; `export` makes all that a result has. They belong to the study and the frame of
reference of the images, name the model as contributing equipment, and say in their series
description that they are for research.
"""
