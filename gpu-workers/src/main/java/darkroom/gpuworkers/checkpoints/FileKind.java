package darkroom.gpuworkers.checkpoints;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Recognises files that are often mistaken for another, by their first bytes. */
public final class FileKind {
    private static final int LOOKED_AT = 64;

    private FileKind() {}

    /** Returns the kind of the file and advice; empty for a file that may be a safetensors file. */
    static Optional<String> of(MemorySegment file) {
        byte[] head = file.asSlice(0, Math.min(LOOKED_AT, file.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(head, StandardCharsets.ISO_8859_1);
        String words = text.stripLeading().toLowerCase(Locale.ROOT);
        Optional<String> substitute = substitute(text);
        if (substitute.isPresent()) {
            return substitute;
        }
        if (text.startsWith("PK\003\004")) {
            return Optional.of("a zip archive, as torch.save writes it: convert it, with safetensors.torch.save_file");
        }
        if (head[0] == (byte) 0x80 && head[1] >= 2 && head[1] <= 5 && !isHeaderLength(head)) {
            return Optional.of("a pickle of Python: convert it, with safetensors.torch.save_file");
        }
        if (head[0] == 0x1f && head[1] == (byte) 0x8b && !isHeaderLength(head)) {
            return Optional.of("compressed by gzip: unpack it");
        }
        if (text.startsWith("GGUF")) {
            return Optional.of("a GGUF file: take the safetensors file of the same model");
        }
        if (words.startsWith("{\"") && !isHeaderLength(head)) {
            return Optional.of("text in JSON, perhaps an index of several files or a server's answer");
        }
        return Optional.empty();
    }

    /**
     * Recognises what a download leaves in the place of a file of any kind: a pointer of Git LFS, or a web page.
     *
     * @throws IOException if the file cannot be read
     */
    public static Optional<String> substitute(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return substitute(new String(in.readNBytes(LOOKED_AT), StandardCharsets.ISO_8859_1));
        }
    }

    private static Optional<String> substitute(String head) {
        if (head.startsWith("version https://git-lfs")) {
            return Optional.of("a pointer of Git LFS to the file: fetch the file itself, with git lfs pull");
        }
        String words = head.stripLeading().toLowerCase(Locale.ROOT);
        if (words.startsWith("<!doctype") || words.startsWith("<html") || words.startsWith("<?xml")) {
            return Optional.of(
                    "a page in HTML or XML, perhaps a server's answer in the place of the file: download it again");
        }
        return Optional.empty();
    }

    /** Whether the first eight bytes are followed by the beginning of a header. */
    private static boolean isHeaderLength(byte[] head) {
        return head.length > Long.BYTES && head[Long.BYTES] == '{' && head[4] == 0 && head[5] == 0;
    }
}
