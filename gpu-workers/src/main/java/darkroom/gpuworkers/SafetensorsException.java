package darkroom.gpuworkers;

import java.io.IOException;
import java.nio.file.Path;

/** A file is no valid safetensors file, or lacks what was asked of it. The message names the file and what is wrong. */
public final class SafetensorsException extends IOException {
    SafetensorsException(Path file, String problem) {
        super(file + ": " + problem);
    }
}
