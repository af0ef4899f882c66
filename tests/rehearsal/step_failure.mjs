// SPDX-License-Identifier: LGPL-2.1-or-later
/** Thrown by what a step does, to fail it with an annotation. */
export class StepFailure extends Error {}
