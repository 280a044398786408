// SPDX-License-Identifier: MIT
// Nothing but the precompiled header all tests share; CMake makes one only for a target with a file that uses it.
