# Makes the files beside this one: R 4.2, Matrix 1.5, SingleCellExperiment 1.20, SeuratObject 4.1,
# HDF5Array 1.26.
# The counts are simulated. Run in this folder: Rscript make.R
library(Matrix)
set.seed(1)
genes <- c("ACTB", "GAPDH", "MT-CO1", "RPL3", "CD3E", paste0("TMEM", 6:20))
x <- matrix(rpois(20 * 8, 0.7), 20, 8, dimnames = list(genes, paste0("cell", 1:8)))
write.table(x, "truth.tsv", sep = "\t", quote = FALSE, col.names = NA)
m <- Matrix(x, sparse = TRUE)

for (compress in c("gzip", "bzip2", "xz")) {
  saveRDS(m, paste0("dgC_", compress, ".rds"), compress = compress)
}
saveRDS(m, "dgC_plain.rds", compress = FALSE)
saveRDS(m, "dgC_ascii.rds", ascii = TRUE)
saveRDS(m, "dgC_version2.rds", version = 2)
saveRDS(as(m, "TsparseMatrix"), "dgT.rds")
# The same place twice stands for the sum.
half <- as(m, "TsparseMatrix")
half@i <- rep(half@i, 2); half@j <- rep(half@j, 2); half@x <- rep(half@x / 2, 2)
saveRDS(half, "dgT_twice.rds")
saveRDS(as(m, "RsparseMatrix"), "dgR.rds")
saveRDS(as(m, "nMatrix"), "ngC.rds")
saveRDS(x, "matrix.rds")
saveRDS(as.data.frame(x), "data_frame.rds")
saveRDS(list(a = m, b = list(c = x), f = function(y) stop("never run"), e = new.env()), "list.rds")
other <- data.frame(cluster = c("a", "b"), n = 1:2)
save(m, other, file = "one.RData")
saveRDS(other, "no_matrix.rds")
saveRDS(forceSymmetric(crossprod(m)), "symmetric.rds")

suppressMessages(library(SingleCellExperiment))
sce <- SingleCellExperiment(assays = list(counts = m, logcounts = log1p(m)),
                            rowData = DataFrame(Symbol = genes))
rownames(sce) <- sprintf("ENSG%011d", 1:20)
saveRDS(sce, "sce.rds")
suppressMessages(library(SeuratObject))
seurat <- SetAssayData(CreateSeuratObject(m), "data", log1p(m))
save(seurat, file = "seurat4.Robj")
seurat[["ADT"]] <- CreateAssayObject(m[1:5, ])
saveRDS(seurat, "seurat4_two_assays.rds")

# What stands beside counts: results of tests, neighbours, graphs, reductions, distances.
beside <- list(
  counts = m,
  markers = data.frame(p_val = runif(20), avg_log2FC = rnorm(20), pct.1 = runif(20),
                       row.names = genes),
  numbers = data.frame(a = rnorm(20), b = rnorm(20), row.names = genes),
  nn.idx = matrix(1:24, 8, 3),
  snn = as(as(crossprod(m), "generalMatrix"), "CsparseMatrix"),
  distances = forceSymmetric(crossprod(m)),
  pca = matrix(rnorm(16), 8, 2, dimnames = list(colnames(m), c("PC_1", "PC_2"))),
  meta = data.frame(nCount_RNA = colSums(x), nFeature_RNA = colSums(x > 0)))
saveRDS(beside, "beside.rds")
saveRDS(beside[-1], "only_beside.rds")
markers <- beside$markers
save(m, markers, file = "markers.RData")
saveRDS(markers, "markers.rds")
write.csv(data.frame(name = c(genes, colnames(m)), sum = c(rowSums(m), colSums(m)),
                     nonzero = c(rowSums(m > 0), colSums(m > 0))),
          "sums.csv", row.names = FALSE, quote = FALSE)

# Values that are not in the file itself.
suppressMessages(library(HDF5Array))
on_disk <- writeHDF5Array(m, "counts.h5", name = "counts", with.dimnames = FALSE)
# The address in the object is relative, so that it names no folder of the machine.
on_disk@seed@filepath <- "counts.h5"
dimnames(on_disk) <- dimnames(m)
delayed <- SingleCellExperiment(assays = list(counts = on_disk))
saveRDS(delayed, "sce_hdf5.rds")
saveRDS(on_disk, "hdf5_matrix.rds")
mixed <- SingleCellExperiment(assays = list(counts = on_disk, logcounts = log1p(m)))
saveRDS(mixed, "sce_hdf5_mixed.rds")
invisible(file.remove("counts.h5"))

# Seurat 2 and 5, by their slots: the packages of today can't be installed beside each other.
setClass("seurat", slots = c(raw.data = "ANY", data = "ANY", scale.data = "ANY"))
saveRDS(new("seurat", raw.data = m, data = log1p(m), scale.data = NULL), "seurat2.rds")
setClass("LogMap", contains = "matrix")
setClass("Assay5", slots = c(layers = "list", cells = "LogMap", features = "LogMap"))
setClass("Seurat", slots = c(assays = "list", active.assay = "character"))
bare <- unname(m)
five <- function(layers, has) {
  features <- matrix(TRUE, 20, length(layers), dimnames = list(genes, names(layers)))
  for (name in names(has)) features[, name] <- has[[name]]
  cells <- matrix(TRUE, 8, length(layers), dimnames = list(colnames(m), names(layers)))
  assay <- new("Assay5", layers = layers, cells = new("LogMap", cells),
               features = new("LogMap", features))
  new("Seurat", assays = list(RNA = assay), active.assay = "RNA")
}
saveRDS(five(list(counts = bare, data = log1p(bare)), list()), "seurat5.rds")
some <- rep(c(TRUE, FALSE), 10)
saveRDS(five(list(counts.a = bare[, 1:3], counts.b = bare[some, 4:8]),
             list(counts.b = some)), "seurat5_split.rds")
