package darkroom.edittasks.datasets;

/** A row of a dataset cannot be used; the message is the reason, without file, line and remedy. */
public final class DatasetFaultException extends Exception {
    private static final long serialVersionUID = 1;

    private final DatasetFault fault;

    DatasetFaultException(DatasetFault fault, String reason) {
        super(reason);
        this.fault = fault;
    }

    DatasetFaultException(DatasetFault fault, String reason, Throwable cause) {
        super(reason, cause);
        this.fault = fault;
    }

    public DatasetFault fault() {
        return fault;
    }

    public String reason() {
        return String.valueOf(getMessage());
    }
}
