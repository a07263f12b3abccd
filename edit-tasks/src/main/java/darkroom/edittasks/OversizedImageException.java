package darkroom.edittasks;

import java.io.IOException;

/** A picture has more pixels than {@link RgbImage#decode} accepts. */
final class OversizedImageException extends IOException {
    private static final long serialVersionUID = 1;

    OversizedImageException(String message) {
        super(message);
    }
}
