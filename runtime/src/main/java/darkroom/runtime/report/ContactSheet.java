package darkroom.runtime.report;

import darkroom.actors.ledger.LedgerEvent.Fate;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.RunDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code sheets.jsonl}: a picture made of images, and the meaning of each of them. The picture {@code file}
 * is a grid of cells; cell (r, c) begins at pixel (c * (width + {@link #GAP}), r * (height + {@link #GAP})).
 *
 * @param file path within the run directory
 * @param step training step; for held-out sheets the policy version
 * @param width of a cell, pixels
 * @param height of a cell, pixels
 * @param magnification side of the square that one image pixel is drawn as; 1 if the images were shrunk instead
 * @param rows rows from the top; all have the same number of cells
 */
public record ContactSheet(String file, Kind kind, int step, int width, int height, int magnification, List<Row> rows) {
    /** Side to which cells are magnified or shrunk, pixels. */
    public static final int CELL_SIDE = 128;

    /** White pixels between two cells. */
    public static final int GAP = 4;

    public ContactSheet {
        rows = List.copyOf(rows);
    }

    /** Kind of a sheet; lower case in the file. */
    enum Kind {
        /** Source, all edits of a group of a step, and target. */
        TRAINING,
        /** Held-out rows before the first step: source, edits, target. */
        BEFORE,
        /**
         * Held-out rows before and after the run, generated from the same noise: source, edits before, edits after,
         * target.
         */
        COMPARISON
    }

    /**
     * One row of the picture.
     *
     * @param decision filter decision of a training group, else {@code null}
     * @param reason reason of the decision
     */
    record Row(
            String row,
            String taskType,
            String instruction,
            @Nullable Fate decision,
            @Nullable String reason,
            List<Cell> cells) {
        Row {
            cells = List.copyOf(cells);
        }
    }

    /**
     * One image of a row.
     *
     * @param reward the scorer's score of an edit
     * @param groundTruth agreement of an edit with the target
     * @param unscored reason why an edit has no score
     */
    record Cell(
            Role role,
            OptionalDouble reward,
            OptionalDouble groundTruth,
            @Nullable String unscored) {
        static final Cell EMPTY = of(Role.NONE);

        static Cell of(Role role) {
            return new Cell(role, OptionalDouble.empty(), OptionalDouble.empty(), null);
        }

        Cell as(Role other) {
            return new Cell(other, reward, groundTruth, unscored);
        }
    }

    /** Content of a cell; lower case in the file. {@code NONE} is a cell left white. */
    enum Role {
        SOURCE,
        REFERENCE,
        EDIT,
        BEFORE,
        AFTER,
        TARGET,
        NONE
    }

    /** Size of the cells for images of a given size. */
    public record Scale(int width, int height, int magnification) {
        public static Scale of(RgbImage image) {
            int side = Math.max(image.width(), image.height());
            if (side <= CELL_SIDE) {
                int magnification = CELL_SIDE / side;
                return new Scale(image.width() * magnification, image.height() * magnification, magnification);
            }
            return new Scale(
                    Math.max(1, image.width() * CELL_SIDE / side), Math.max(1, image.height() * CELL_SIDE / side), 1);
        }

        /**
         * Fits the image to the size of a cell before magnification: unchanged if it has that size, otherwise each
         * pixel is the mean of the pixels it covers.
         */
        RgbImage fit(RgbImage image) {
            int toWidth = width / magnification;
            int toHeight = height / magnification;
            if (image.width() == toWidth && image.height() == toHeight) {
                return image;
            }
            byte[] rgb = new byte[3 * toWidth * toHeight];
            for (int y = 0; y < toHeight; y++) {
                int top = y * image.height() / toHeight;
                int bottom = Math.max(top + 1, (y + 1) * image.height() / toHeight);
                for (int x = 0; x < toWidth; x++) {
                    int left = x * image.width() / toWidth;
                    int right = Math.max(left + 1, (x + 1) * image.width() / toWidth);
                    for (int c = 0; c < 3; c++) {
                        long sum = 0;
                        for (int v = top; v < bottom; v++) {
                            for (int u = left; u < right; u++) {
                                sum += image.channel(u, v, c);
                            }
                        }
                        int count = (bottom - top) * (right - left);
                        rgb[3 * (y * toWidth + x) + c] = (byte) ((sum + count / 2) / count);
                    }
                }
            }
            return RgbImage.of(toWidth, toHeight, rgb);
        }
    }

    /**
     * Assembles the picture. Images are magnified by repeating pixels.
     *
     * @param images one list per row of the sheet and one entry per cell, already fitted; {@code null} stays white
     */
    public static RgbImage rollout(Scale scale, List<List<@Nullable RgbImage>> images) {
        int columns = images.getFirst().size();
        int width = columns * (scale.width() + GAP) - GAP;
        int height = images.size() * (scale.height() + GAP) - GAP;
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, (byte) 255);
        for (int r = 0; r < images.size(); r++) {
            for (int c = 0; c < columns; c++) {
                RgbImage image = images.get(r).get(c);
                if (image != null) {
                    byte[] from = image.rgb();
                    for (int y = 0; y < scale.height(); y++) {
                        int at = 3 * ((r * (scale.height() + GAP) + y) * width + c * (scale.width() + GAP));
                        for (int x = 0; x < scale.width(); x++) {
                            int pixel = y / scale.magnification() * image.width() + x / scale.magnification();
                            System.arraycopy(from, 3 * pixel, rgb, at + 3 * x, 3);
                        }
                    }
                }
            }
        }
        return RgbImage.of(width, height, rgb);
    }

    Scale scale() {
        return new Scale(width, height, magnification);
    }

    /**
     * Reads the images of the picture as they were before magnification, row by row; {@code null} for a white cell.
     *
     * @throws UncheckedIOException naming the picture, if it cannot be read
     */
    List<List<@Nullable RgbImage>> images(RunDirectory directory) {
        Path place = directory.picture(file);
        RgbImage sheet;
        try {
            sheet = RgbImage.decode(Files.readAllBytes(place));
        } catch (IOException e) {
            throw RunDirectory.failed("read", place, e);
        }
        int columns = rows.getFirst().cells().size();
        if (sheet.width() != columns * (width + GAP) - GAP || sheet.height() != rows.size() * (height + GAP) - GAP) {
            throw RunDirectory.failed(
                    "read",
                    place,
                    new IOException("%dx%d pixels are not %d rows of %d cells of %dx%d"
                            .formatted(sheet.width(), sheet.height(), rows.size(), columns, width, height)));
        }
        byte[] rgb = sheet.rgb();
        return IntStream.range(0, rows.size())
                .mapToObj(r -> cells(r, sheet, rgb))
                .toList();
    }

    private List<@Nullable RgbImage> cells(int r, RgbImage sheet, byte[] rgb) {
        List<Cell> cells = rows.get(r).cells();
        @Nullable RgbImage[] images = new RgbImage[cells.size()];
        for (int c = 0; c < images.length; c++) {
            if (cells.get(c).role() != Role.NONE) {
                images[c] = cut(r, c, sheet, rgb);
            }
        }
        return Arrays.asList(images);
    }

    private RgbImage cut(int r, int c, RgbImage sheet, byte[] rgb) {
        int w = width / magnification;
        int h = height / magnification;
        byte[] out = new byte[3 * w * h];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int v = r * (height + GAP) + y * magnification;
                int u = c * (width + GAP) + x * magnification;
                System.arraycopy(rgb, 3 * (v * sheet.width() + u), out, 3 * (y * w + x), 3);
            }
        }
        return RgbImage.of(w, h, out);
    }
}
