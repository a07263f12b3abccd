package darkroom.gpuworkers.torchscript;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript archive written from source: a module without parameters whose methods are the given functions.
 *
 * <p>The source is what {@code torch.jit.CompilationUnit} takes in Python: functions of tensors, with {@code F} for {@code
 * torch.nn.functional}. An archive holds the serialized form of the language, which differs in three points that {@link #methods}
 * changes: functions are methods of a class, they are called on {@code self}, and all operators are in {@code torch}. The
 * operators of {@code F} that are used must therefore have the argument order of their ATen operator.
 *
 * <p>The format is a zip of stored entries: the code as text, a pickle of an object with one attribute, an empty tuple of
 * constants, and a version. It makes fused attention, fused AdamW and bfloat16 available to Java, without Python at build or
 * run time.
 */
final class TorchScriptArchive {
    private static final String TYPE = "__torch__.Module";
    private static final Pattern FUNCTION = Pattern.compile("(?m)^def ([A-Za-z_]\\w*)\\((\\)?)");
    private static final Pattern PYTHON_NAMESPACE = Pattern.compile("(?<![\\w.])(F|torch\\.autograd)\\.");

    private TorchScriptArchive() {}

    /** @param functions top-level function definitions, without comments */
    static byte[] of(String functions) {
        String code = "class Module(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
                + methods(functions).stripTrailing() + "\n";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            store(zip, "module/data.pkl", emptyModule());
            store(zip, "module/code/__torch__.py", code.getBytes(StandardCharsets.UTF_8));
            store(zip, "module/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            store(zip, "module/version", "10\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    /** Returns the functions as methods in serialized TorchScript, indented by two spaces. */
    static String methods(String functions) {
        List<String> names = FUNCTION.matcher(functions)
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
        String code = PYTHON_NAMESPACE.matcher(functions).replaceAll("torch.");
        if (!names.isEmpty()) {
            code = Pattern.compile("(?<![\\w.]|^def )(%s)\\(".formatted(String.join("|", names)), Pattern.MULTILINE)
                    .matcher(code)
                    .replaceAll("(self).$1(");
        }
        code = FUNCTION.matcher(code)
                .replaceAll(found -> Matcher.quoteReplacement("def %s(self: %s%s"
                        .formatted(found.group(1), TYPE, found.group(2).isEmpty() ? ", " : ")")));
        return code.lines()
                .filter(line -> !line.isBlank())
                .map(line -> "  " + line + "\n")
                .reduce("", String::concat);
    }

    /** Returns a pickle of {@code __torch__.Module} with {@code training = False}. */
    private static byte[] emptyModule() {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        int dot = TYPE.lastIndexOf('.');
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, 'c'});
        pickle.writeBytes(
                (TYPE.substring(0, dot) + "\n" + TYPE.substring(dot + 1) + "\n").getBytes(StandardCharsets.UTF_8));
        pickle.writeBytes(new byte[] {')', (byte) 0x81, '}', '(', 'X', 8, 0, 0, 0});
        pickle.writeBytes("training".getBytes(StandardCharsets.UTF_8));
        pickle.writeBytes(new byte[] {(byte) 0x89, 'u', 'b', '.'});
        return pickle.toByteArray();
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
