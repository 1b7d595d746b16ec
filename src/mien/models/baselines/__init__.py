"""Section 4.1: what the paper is compared with, written from the published descriptions.

=================================  ===================================================
:mod:`.resnet`                     ResNet-18 regression (table 1)
:mod:`.hierarchical`               blocks of Bulat and Tzimiropoulos, real-valued and
                                   binary (table 3)
:mod:`.morphable`                  regression of morphable-model parameters after 3DDFA
                                   (table 3)
:mod:`.sdm`                        supervised descent, in numpy (table 3)
=================================  ===================================================

ESR and PCPR stand in the paper as published figures only, and so they do here.
"""
