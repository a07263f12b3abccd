package darkroom.gpuworkers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript archive written from text: a module without parameters whose methods are the given code.
 *
 * <p>The format is a zip of stored entries: the code as text, a pickle of an object with one attribute, an empty tuple of
 * constants, and a version. It makes fused attention, fused AdamW and bfloat16 available to Java, without Python at build or
 * run time.
 */
final class TorchScriptArchive {
    private static final String TYPE = "__torch__.Module";

    private TorchScriptArchive() {}

    /**
     * @param methods method definitions in serialized TorchScript, indented by two spaces, {@code self} of type
     *     {@code __torch__.Module}
     */
    static byte[] of(String methods) {
        String code = "class Module(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
                + methods.stripTrailing() + "\n";
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
