package darkroom.actors.device;

/** Thrown by a {@link Device} to choose what happens next; any other exception of a device means {@link Fault.Retry}. */
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
