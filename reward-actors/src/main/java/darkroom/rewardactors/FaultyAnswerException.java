package darkroom.rewardactors;

/** Carries a fault from where an answer is read to where the attempt ends. Never leaves this module. */
final class FaultyAnswerException extends Exception {
    private final transient ScorerFault fault;

    FaultyAnswerException(ScorerFault fault) {
        super(fault.reason(), null, false, false);
        this.fault = fault;
    }

    ScorerFault fault() {
        return fault;
    }
}
