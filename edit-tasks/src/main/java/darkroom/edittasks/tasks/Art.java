package darkroom.edittasks.tasks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.weisj.jsvg.SVGDocument;
import com.github.weisj.jsvg.parser.LoaderContext;
import com.github.weisj.jsvg.parser.SVGLoader;
import com.github.weisj.jsvg.view.ViewBox;
import darkroom.edittasks.pictures.Pixels;
import darkroom.edittasks.pictures.Pixels.Area;
import darkroom.edittasks.pictures.Pixels.Raster;
import darkroom.edittasks.pictures.RgbImage;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The packaged icons and photographs, rasterised on first use and kept. Safe for all threads. */
final class Art {
    static final String NOTO = "noto";
    static final String FLAT = "fluent-emoji-flat";
    static final String INK = "fluent-emoji-high-contrast";

    /** Location of the photographs on the class path. */
    static final String PHOTOGRAPHS = "/imagingbook/sampleimages/GeneralSampleImage-data/";

    /** Side of the one raster per icon that all sizes are averaged down from. */
    private static final int MASTER = 160;

    private static final int SCENERY_MASTER = 320;
    private static final int PHOTO_SIDE = 96;

    private record SpriteKey(String icon, String set, String tint, int side) {}

    private record MasterKey(String icon, String set, String tint) {}

    private record BackdropKey(String name, int n) {}

    private static final Map<String, JsonNode> SETS = new ConcurrentHashMap<>();
    private static final Map<MasterKey, Sprite> MASTERS = new ConcurrentHashMap<>();
    private static final Map<SpriteKey, Sprite> SPRITES = new ConcurrentHashMap<>();
    private static final Map<BackdropKey, float[]> BACKDROPS = new ConcurrentHashMap<>();
    private static final Map<String, Photograph> PHOTOS = new ConcurrentHashMap<>();

    /** A photograph with its shorter side {@link #PHOTO_SIDE}. */
    static final class Photograph {
        private final int width;
        private final int height;
        private final float[] rgb;

        private Photograph(int width, int height, float[] rgb) {
            this.width = width;
            this.height = height;
            this.rgb = rgb;
        }

        int width() {
            return width;
        }

        int height() {
            return height;
        }

        float[] rgb() {
            return rgb;
        }
    }

    private Art() {}

    /** Returns the icon at {@code side} pixels; tint is empty, a colour, {@code darker} or {@code brighter}. */
    static Sprite sprite(String icon, String set, String tint, int side) {
        SpriteKey key = new SpriteKey(icon, set, tint, side);
        Sprite kept = SPRITES.get(key);
        if (kept == null) {
            Sprite master = master(new MasterKey(icon, set, tint));
            kept = new Sprite(side, Pixels.resize(new Raster(master.rgba(), master.side(), 4), side, side));
            SPRITES.putIfAbsent(key, kept);
        }
        return kept;
    }

    private static Sprite master(MasterKey key) {
        Sprite kept = MASTERS.get(key);
        if (kept == null) {
            kept = key.tint().isEmpty()
                    ? rasterise(key.icon(), key.set(), MASTER)
                    : Tint.apply(master(new MasterKey(key.icon(), key.set(), "")), key.tint());
            MASTERS.putIfAbsent(key, kept);
        }
        return kept;
    }

    static float[] backdrop(String name, int n) {
        BackdropKey key = new BackdropKey(name, n);
        float[] kept = BACKDROPS.get(key);
        if (kept == null) {
            String icon = Backdrop.SCENERY.get(name);
            kept = icon == null ? Landscape.paint(name, n) : scenery(icon, n);
            BACKDROPS.putIfAbsent(key, kept);
        }
        return kept.clone();
    }

    /**
     * Returns a scene icon of 1.16 times the canvas; clear pixels take the colour of the next solid pixel towards the middle.
     */
    private static float[] scenery(String icon, int n) {
        int m = SCENERY_MASTER;
        Sprite master = rasterise(icon, NOTO, m);
        float[] solid = new float[3 * m * m];
        double middle = (m - 1) / 2.0;
        for (int y = 0; y < m; y++) {
            for (int x = 0; x < m; x++) {
                double u = x;
                double v = y;
                int at = (y * m + x) * 4;
                for (int i = 0; i < m && master.rgba()[at + 3] < .98f; i++) {
                    u += (middle - u) * .01;
                    v += (middle - v) * .01;
                    at = ((int) Math.round(v) * m + (int) Math.round(u)) * 4;
                }
                System.arraycopy(master.rgba(), at, solid, (y * m + x) * 3, 3);
            }
        }
        double margin = m * (1 - 1 / 1.16) / 2;
        return Pixels.resize(new Raster(solid, m, 3), new Area(margin, margin, m - margin, m - margin), n, n);
    }

    private static Sprite rasterise(String icon, String set, int side) {
        JsonNode sheet = SETS.computeIfAbsent(set, Art::readSet);
        JsonNode body = sheet.path("icons").path(icon);
        if (body.isMissingNode()) {
            throw new IllegalArgumentException(
                    "icon '" + icon + "' is not in the packaged set " + set + "; add it with ArtPacker");
        }
        int width = body.path("width").asInt(sheet.path("width").asInt(16));
        int height = body.path("height").asInt(sheet.path("height").asInt(16));
        String svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\""
                + width
                + "\" height=\"" + height + "\" viewBox=\"0 0 " + width + " " + height + "\">"
                + body.path("body").asText().replace("currentColor", "#000") + "</svg>";
        SVGDocument document = new SVGLoader()
                .load(
                        new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)),
                        null,
                        LoaderContext.createDefault());
        if (document == null) {
            throw new IllegalStateException("icon '" + icon + "' of set " + set + " is not valid SVG");
        }
        int super4 = 2 * side;
        BufferedImage image = new BufferedImage(super4, super4, BufferedImage.TYPE_INT_ARGB_PRE);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        graphics.setColor(Color.BLACK);
        document.render((java.awt.Component) null, graphics, new ViewBox(0, 0, super4, super4));
        graphics.dispose();
        int[] packed = ((java.awt.image.DataBufferInt) image.getRaster().getDataBuffer()).getData();
        float[] rgba = new float[packed.length * 4];
        for (int p = 0; p < packed.length; p++) {
            rgba[p * 4] = packed[p] >> 16 & 255;
            rgba[p * 4 + 1] = packed[p] >> 8 & 255;
            rgba[p * 4 + 2] = packed[p] & 255;
            rgba[p * 4 + 3] = (packed[p] >>> 24) / 255f;
        }
        return new Sprite(side, Pixels.resize(new Raster(rgba, super4, 4), side, side));
    }

    private static JsonNode readSet(String set) {
        try (InputStream in = Art.class.getResourceAsStream(set + ".json")) {
            if (in == null) {
                throw new IllegalStateException(
                        "icon set " + set + ".json is missing from the edit-tasks jar; rebuild it");
            }
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the photograph in file {@code name}, from the sample images that the build unpacks. */
    static Photograph photo(String name) {
        return PHOTOS.computeIfAbsent(name, Art::readPhoto);
    }

    private static Photograph readPhoto(String name) {
        String path = PHOTOGRAPHS + name;
        try (InputStream in = Art.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException(
                        "photograph " + path + " is missing from the edit-tasks jar; rebuild it");
            }
            RgbImage image = RgbImage.decode(in.readAllBytes());
            float[] rgb = new float[image.bytes().length];
            for (int i = 0; i < rgb.length; i++) {
                rgb[i] = image.bytes()[i] & 255;
            }
            double scale = PHOTO_SIDE / (double) Math.min(image.width(), image.height());
            int width = (int) Math.round(image.width() * scale);
            int height = (int) Math.round(image.height() * scale);
            return new Photograph(width, height, Pixels.resize(new Raster(rgb, image.width(), 3), width, height));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
