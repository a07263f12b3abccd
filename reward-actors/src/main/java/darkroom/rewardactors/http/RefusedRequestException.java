package darkroom.rewardactors.http;

/** A request that is answered with an error; its message is shown to the client. */
public final class RefusedRequestException extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String param;

    /**
     * @param status of HTTP, from 400 to 599
     * @param param field of the request that is wrong; empty if no single one is
     * @param message what is wrong, and what to do
     */
    public RefusedRequestException(int status, String param, String message) {
        super(message, null, false, false);
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("status=" + status + " is no error: 400 to 599");
        }
        this.status = status;
        this.param = param;
    }

    public int status() {
        return status;
    }

    public String param() {
        return param;
    }

    /** Returns the message; never null. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
