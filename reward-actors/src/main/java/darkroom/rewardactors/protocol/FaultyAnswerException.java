package darkroom.rewardactors.protocol;

/** Carries a fault from the reader of an answer to the end of the attempt. Never leaves this module. */
public final class FaultyAnswerException extends Exception {
    private final transient ScorerFault fault;

    public FaultyAnswerException(ScorerFault fault) {
        super(fault.reason(), null, false, false);
        this.fault = fault;
    }

    public ScorerFault fault() {
        return fault;
    }
}
