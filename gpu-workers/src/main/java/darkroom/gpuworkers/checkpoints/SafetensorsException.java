package darkroom.gpuworkers.checkpoints;

import java.io.IOException;
import java.nio.file.Path;

/** A file is not a valid safetensors file, or lacks a requested tensor. The message names the file and the fault. */
public final class SafetensorsException extends IOException {
    SafetensorsException(Path file, String problem) {
        super(file + ": " + problem);
    }
}
