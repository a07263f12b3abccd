package darkroom.runtime;

import darkroom.actors.EvaluationRequest;

/** Names of the evaluations of a run. Every other evaluation is a validation, named by the supervisor after its step. */
final class Evaluations {
    /** Held-out rows before the first step. */
    static final String HELD_OUT_BEFORE = "held-out-before";

    /** The same rows and noise after the last step. */
    static final String HELD_OUT_AFTER = "held-out-after";

    /** The same rows and noise drawn by the clean base, without any reinforcement: the line every report draws. */
    static final String CLEAN_REFERENCE = "clean-reference";

    private static final String VALIDATION = "-validation-";

    private Evaluations() {}

    static boolean isValidation(EvaluationRequest request) {
        return isValidation(request.name());
    }

    static boolean isValidation(String name) {
        return name.contains(VALIDATION);
    }
}
