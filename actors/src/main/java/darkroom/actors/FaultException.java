package darkroom.actors;

/** How a {@link Device} says what is to happen next; any other exception of a device means {@link Fault.Retry}. */
public final class FaultException extends RuntimeException {
    private final transient Fault fault;

    public FaultException(Fault fault) {
        super(fault.message());
        this.fault = fault;
    }

    public Fault fault() {
        return fault;
    }
}
